-- One variant: every statement under its policy, the denied request under its policy for owners and admins. Writes last,
-- then vacuum: the rows that they leave behind would be the next variant's.
set client_min_messages = warning;
select rule, denied_rule from bench.variant where n = :variant \gset
call bench.set_policy(:'rule');
select format('call bench.measure(%s, %s)', :variant, n)
    from bench.statement where not real and name <> 'B denied' order by command !~ '^select', n \gexec
vacuum bench.leads;
call bench.set_policy(:'denied_rule');
select format('call bench.measure(%s, %s)', :variant, n) from bench.statement where not real and name = 'B denied' \gexec
