#!/usr/bin/env bash
# Tier attack: one list of attacks against the requirement documents' own SQL (tests/requirements) and against ours, each
# in a database of its own in the test cluster. Ours must refuse every one; on theirs the known ones must work.
# shellcheck source=bin/lib/deno_tests.sh
source "$(dirname "$0")/deno_tests.sh"

make_databases() {
    local document
    for document in s0 s1 s2 s3 s4; do
        create_database "attack_$document"
        DATABASE=attack_$document psql_as postgres -1 -f "tests/requirements/$document.sql"
    done
    create_database attack_ours
    DATABASE=attack_ours psql_as postgres -1 -f sql/schema/schema.sql
    # The fixtures of tests/pgtap, kept instead of rolled back.
    DATABASE=attack_ours psql_as postgres -1 -f tests/pgtap/_helpers.psql -c "
        select tests.make_tenant('a', 801), tests.make_tenant('b', 802), tests.make_tenant('c', 803), tests.make_tenant('d', 804);
        select tests.make_user('n.nobody'), tests.make_user('m.both');
        insert into public.memberships (organization_id, user_id, role)
        values (tests.id('c'), tests.id('m.both'), 'owner'), (tests.id('d'), tests.id('m.both'), 'owner');
        insert into public.prompt_templates (organization_id, name, description, category, template_structure)
        values (null, 'System', 'For tests', 'general', '{}')"
}

load_stack_env
PGOPTIONS="-c client_min_messages=warning" make_databases >/dev/null
deno_tests tests/attacks
