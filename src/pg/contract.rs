//! The contract with sql/schema: every table, column and index of `public` and `private` that native code reads or
//! writes, once. The code that reads takes its tables from here; `schema_contract()` shows the list, and
//! `private.doctor_contract()` compares it with the database, because what is missing here is answered by silence: a
//! membership without its column gives nothing.
//!
//! Columns are found by name and type. An index that is missing or no longer what is said here only makes its scan read
//! the whole table; a unique one is what ON CONFLICT needs.

use super::owner::Table;
use super::scan::By;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use std::ffi::CStr;

const MEMBERSHIPS: Table = Table {
    schema: c"public",
    name: c"memberships",
};
pub(crate) const ORGANIZATIONS: Table = Table {
    schema: c"public",
    name: c"organizations",
};
const PROFILES: Table = Table {
    schema: c"public",
    name: c"profiles",
};
pub(crate) const SUPPORT_SESSIONS: Table = Table {
    schema: c"public",
    name: c"support_sessions",
};
pub(crate) const PLATFORM_ADMINS: Table = Table {
    schema: c"private",
    name: c"platform_admins",
};
pub(crate) const CAPABILITIES: Table = Table {
    schema: c"private",
    name: c"capabilities",
};
const ROOT_KEYS: Table = Table {
    schema: c"private",
    name: c"root_keys",
};
pub(crate) const TENANT_KEYS: Table = Table {
    schema: c"private",
    name: c"tenant_keys",
};
const UNSEAL_AUDIT: Table = Table {
    schema: c"private",
    name: c"unseal_audit",
};

/// The memberships of a user.
pub(crate) const MEMBERSHIPS_OF: By = By {
    table: MEMBERSHIPS,
    column: c"user_id",
    index: c"memberships_user_id_idx",
};
/// The organization of an id.
pub(crate) const ORGANIZATION: By = By {
    table: ORGANIZATIONS,
    column: c"id",
    index: c"organizations_pkey",
};
/// The profile of a user.
pub(crate) const PROFILE: By = By {
    table: PROFILES,
    column: c"id",
    index: c"profiles_pkey",
};

/// What native code needs of one table.
struct Entry {
    table: Table,
    /// Name and type.
    columns: &'static [(&'static str, &'static str)],
    indexes: &'static [Index],
}

struct Index {
    name: &'static CStr,
    columns: &'static CStr,
    unique: bool,
}

impl Index {
    /// What a scan goes by.
    const fn of(by: &By) -> Index {
        Index {
            name: by.index,
            columns: by.column,
            unique: false,
        }
    }

    /// What ON CONFLICT names.
    const fn unique(name: &'static CStr, columns: &'static CStr) -> Index {
        Index {
            name,
            columns,
            unique: true,
        }
    }
}

const CONTRACT: &[Entry] = &[
    Entry {
        table: MEMBERSHIPS,
        columns: &[
            ("organization_id", "uuid"),
            ("user_id", "uuid"),
            ("role", "text"),
            ("status", "text"),
            ("permissions", "jsonb"),
            ("can_view_all_leads", "boolean"),
            ("can_edit_lessons", "boolean"),
            ("can_push_to_n8n", "boolean"),
            ("can_manage_users", "boolean"),
            ("allowed_dataset_ids", "uuid[]"),
            ("expires_at", "timestamp with time zone"),
        ],
        indexes: &[Index::of(&MEMBERSHIPS_OF)],
    },
    Entry {
        table: ORGANIZATIONS,
        columns: &[
            ("id", "uuid"),
            ("slug", "text"),
            ("status", "text"),
            ("default_country", "text"),
        ],
        indexes: &[Index::of(&ORGANIZATION)],
    },
    Entry {
        table: PROFILES,
        columns: &[("id", "uuid"), ("default_organization_id", "uuid")],
        indexes: &[Index::of(&PROFILE)],
    },
    Entry {
        table: SUPPORT_SESSIONS,
        columns: &[
            ("organization_id", "uuid"),
            ("id", "uuid"),
            ("admin_id", "uuid"),
            ("capabilities", "text[]"),
            ("opened_at", "timestamp with time zone"),
            ("expires_at", "timestamp with time zone"),
            ("closed_at", "timestamp with time zone"),
        ],
        indexes: &[],
    },
    Entry {
        table: PLATFORM_ADMINS,
        columns: &[("user_id", "uuid")],
        indexes: &[],
    },
    Entry {
        table: CAPABILITIES,
        columns: &[("name", "text"), ("roles", "text[]")],
        indexes: &[],
    },
    Entry {
        table: ROOT_KEYS,
        columns: &[("kid", "text"), ("kcv", "bytea")],
        indexes: &[Index::unique(c"root_keys_pkey", c"kid")],
    },
    Entry {
        table: TENANT_KEYS,
        columns: &[
            ("organization_id", "uuid"),
            ("version", "integer"),
            ("root_kid", "text"),
            ("wrap_salt", "bytea"),
            ("wrapped_key", "bytea"),
            ("shredded_at", "timestamp with time zone"),
        ],
        indexes: &[Index::unique(
            c"tenant_keys_pkey",
            c"organization_id, version",
        )],
    },
    Entry {
        table: UNSEAL_AUDIT,
        columns: &[
            ("outer_role", "text"),
            ("user_id", "uuid"),
            ("organization_id", "uuid"),
            ("row_id", "text"),
            ("purpose", "text"),
            ("reason", "text"),
            ("result", "text"),
        ],
        indexes: &[],
    },
];

type Row = (String, String, String, Option<String>, Option<String>);

/// What native code reads and writes in public and private: one row for each table, column, index and unique index,
/// with its name; definition is the type of a column, the columns of an index. Owner only; `doctor()` compares it
/// with the database.
#[pg_extern(immutable, parallel_safe, strict)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn schema_contract() -> TableIterator<
    'static,
    (
        name!(kind, String),
        name!(schema_name, String),
        name!(table_name, String),
        name!(name, Option<String>),
        name!(definition, Option<String>),
    ),
> {
    TableIterator::new(CONTRACT.iter().flat_map(rows))
}

fn rows(entry: &Entry) -> Vec<Row> {
    let owned = |text: &CStr| text.to_string_lossy().into_owned();
    let row = |kind: &str, name: Option<String>, definition: Option<String>| {
        let (schema, table) = (owned(entry.table.schema), owned(entry.table.name));
        (kind.to_owned(), schema, table, name, definition)
    };
    let columns = entry.columns.iter().map(|(name, type_name)| {
        row(
            "column",
            Some((*name).to_owned()),
            Some((*type_name).to_owned()),
        )
    });
    let indexes = entry.indexes.iter().map(|index| {
        let kind = if index.unique {
            "unique index"
        } else {
            "index"
        };
        row(kind, Some(owned(index.name)), Some(owned(index.columns)))
    });
    std::iter::once(row("table", None, None))
        .chain(columns)
        .chain(indexes)
        .collect()
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use crate::pg::key;
    use pgrx::prelude::*;

    /// The contract's tables, made from the list alone, and what native code answers over them: a member of two
    /// organizations, support, the server, sealed credentials, a phone number.
    const OVER_THE_LIST: &str = r#"
        create role authenticated; create role service_role;
        grant usage on schema switchboard to public;
        grant execute on all functions in schema switchboard to public;
        create schema private;
        do $$
        declare
            each record;
        begin
            for each in
                select schema_name, table_name, string_agg(format('%I %s', name, definition), ', ') filter (where kind = 'column') as columns
                from switchboard.schema_contract()
                group by 1, 2
            loop
                execute format('create table %I.%I (%s)', each.schema_name, each.table_name, each.columns);
            end loop;
            for each in select * from switchboard.schema_contract() where kind like '%index' loop
                execute format('create %s %I on %I.%I (%s)', each.kind, each.name, each.schema_name, each.table_name, each.definition);
            end loop;
        end;
        $$;
        insert into public.organizations (id, slug, status, default_country) values
            ('0a000000-0000-4000-8000-000000000001', 'alpha', 'active', 'US'),
            ('0b000000-0000-4000-8000-000000000002', 'beta', 'paused', 'GB');
        insert into public.profiles (id, default_organization_id) values
            ('00000000-0000-4000-8000-000000000011', '0a000000-0000-4000-8000-000000000001');
        insert into public.memberships
            (organization_id, user_id, role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
                can_manage_users, allowed_dataset_ids, expires_at)
        values
            ('0a000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000011', 'sales_rep', 'active',
                '{"leads.delete": true}', true, true, true, true, '{0d000000-0000-4000-8000-00000000000d}', '2999-01-01'),
            ('0b000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000011', 'owner', 'active',
                '{}', false, false, false, false, null, null),
            ('0b000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000013', 'owner', 'suspended',
                '{}', false, false, false, false, null, null);
        insert into private.platform_admins (user_id) values ('00000000-0000-4000-8000-000000000012');
        insert into public.support_sessions (organization_id, id, admin_id, capabilities, opened_at, expires_at, closed_at) values
            ('0b000000-0000-4000-8000-000000000002', '0c000000-0000-4000-8000-000000000001',
                '00000000-0000-4000-8000-000000000012', '{leads.read}', now() - interval '1 minute', now() + interval '1 hour', null),
            ('0a000000-0000-4000-8000-000000000001', '0c000000-0000-4000-8000-000000000002',
                '00000000-0000-4000-8000-000000000012', '{leads.read}', now() - interval '1 minute', now() + interval '1 hour', now());
        insert into private.capabilities (name, roles) values ('orders.read', '{owner,sales_rep}');
        create table public.numbers (organization_id uuid, phone_number text, phone_input text);
        create trigger normalize before insert on public.numbers for each row
            execute function switchboard.normalize_phone('phone_number', 'phone_input', 'organization');

        create function public.answers() returns text[]
        language plpgsql
        as $$
        declare
            all_of_them text[];
        begin
            perform set_config('role', 'authenticated', true);
            perform set_config('request.jwt.claims',
                    '{"sub": "00000000-0000-4000-8000-000000000011", "role": "authenticated", "aal": "aal2"}', true),
                set_config('request.headers', '', true);
            all_of_them := array[switchboard.request_context()::text];
            perform set_config('request.jwt.claims', replace(current_setting('request.jwt.claims'), '000011', '000013'), true);
            all_of_them := all_of_them || switchboard.request_context()::text;
            perform set_config('request.jwt.claims', replace(current_setting('request.jwt.claims'), '000013', '000012'), true);
            all_of_them := all_of_them || array[switchboard.request_context()::text, switchboard.is_platform_admin()::text];
            perform set_config('role', 'service_role', true),
                set_config('request.jwt.claims', '{"role": "service_role"}', true),
                set_config('request.headers', '{"x-organization-slug": "alpha"}', true);
            all_of_them := all_of_them || array[
                switchboard.current_organization_id()::text,
                switchboard.unseal(
                    switchboard.seal('{"authToken": "x"}', switchboard.current_organization_id(), 'row', 'test'),
                    switchboard.current_organization_id(), 'row', 'test', 'a test'
                )::text
            ];
            perform set_config('role', 'none', true);
            insert into public.numbers (organization_id, phone_number) values
                ('0a000000-0000-4000-8000-000000000001', '(415) 555-0132');
            return all_of_them || array[(select phone_number from public.numbers), (select result from private.unseal_audit)];
        end;
        $$;

        -- The answers after a change, which is undone.
        create function public.answers_after(change text) returns text[]
        language plpgsql
        as $$
        declare
            told text[];
        begin
            execute change;
            told := public.answers();
            raise exception 'undo';
        exception when others then
            return case sqlerrm when 'undo' then told else array[sqlerrm] end;
        end;
        $$;
    "#;

    fn answers_after(change: &str) -> Vec<Option<String>> {
        Spi::get_one_with_args("select public.answers_after($1)", &[change.into()])
            .unwrap()
            .unwrap()
    }

    /// Tables with the columns of the list and no others are enough, and every column and unique index is needed: without
    /// it something is answered otherwise.
    #[pg_test]
    fn the_list_is_what_native_code_reads_and_writes() {
        key::load_for_test(b"k1:00112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10");
        Spi::run(OVER_THE_LIST).unwrap();
        let complete = answers_after("select");
        let told = complete.iter().flatten().map(String::as_str);
        let told: Vec<_> = told.collect();
        let [
            member,
            suspended,
            support,
            admin,
            named,
            opened,
            number,
            audited,
        ] = told[..]
        else {
            panic!("{told:?}");
        };
        for part in [
            "0a000000-0000-4000-8000-000000000001",
            "0d000000-0000-4000-8000-00000000000d",
            "\"sales_rep\"",
            "\"leads.delete\"",
            "\"leads.read_all\"",
            "\"lessons.write\"",
            "\"n8n.push\"",
            "\"members.write\"",
            "\"orders.read\"",
            "2999-01-01",
            "\"beta\"",
        ] {
            assert!(member.contains(part), "{part}: {member}");
        }
        assert!(suspended.contains("\"no_membership\""), "{suspended}");
        assert!(
            support.contains("0c000000-0000-4000-8000-000000000001")
                && support.contains("\"leads.read\""),
            "{support}"
        );
        assert_eq!(
            [admin, named, opened, number, audited],
            [
                "true",
                "0a000000-0000-4000-8000-000000000001",
                "{\"authToken\": \"x\"}",
                "+14155550132",
                "opened"
            ]
        );
        let changes: Vec<Option<String>> = Spi::get_one(
            "select array_agg(case kind
                when 'column' then format('alter table %I.%I drop column %I', schema_name, table_name, name)
                else format('drop index %I.%I', schema_name, name) end)
             from switchboard.schema_contract() where kind in ('column', 'unique index')",
        )
        .unwrap()
        .unwrap();
        for change in changes.into_iter().flatten() {
            assert_ne!(answers_after(&change), complete, "{change}");
        }
        assert_eq!(answers_after("select"), complete);
    }
}
