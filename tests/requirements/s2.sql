-- S2, "Manual Migration Steps": the one function that the document prints, for tests/attacks to attack
-- beside ours. A suite that cannot fail on a leaky schema proves nothing.
--
-- The function is verbatim. The table stands for the nine that the document only names, with row level
-- security as it promises.

CREATE TABLE agents (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id UUID NOT NULL REFERENCES auth.users(id)
);
ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Agents can only be managed by their owners" ON agents FOR ALL USING (user_id = auth.uid());

CREATE OR REPLACE FUNCTION exec_sql(sql text)
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
  EXECUTE sql;
END;
$$;
