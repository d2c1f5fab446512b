-- The list of what is meant to be granted (operator/grants.sql), made of what the files above have granted.

select private.record_all_grants();
