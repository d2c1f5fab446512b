-- Runs as supabase_admin when the image makes its database. An existing database gets the same line by hand:
--   psql -U supabase_admin -c 'create extension switchboard'
create extension if not exists switchboard;
