select sum((regexp_match(line, '[0-9]+'))[1]::integer)
from regexp_split_to_table(pg_read_file('/proc/self/smaps_rollup'), '\n') as line
where line ~ '^Private_(Clean|Dirty)'
