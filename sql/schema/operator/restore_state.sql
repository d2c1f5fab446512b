-- What ends a restore of rows (restore_rows.sql), while one is under way.

create table private.restore_state (
    place integer generated always as identity primary key,
    statement text not null
);
comment on table private.restore_state is
    'The statements that end a restore of rows which private.begin_restore began; else empty.';

select private.add_deny_policy('private.restore_state');
