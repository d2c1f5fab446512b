-- Upload chunks: the pieces of a file until its import is completed. They hold people's data and no role of the API reads
-- them: append_upload_chunk writes them, commit_upload reads and at the end deletes them.

create table private.upload_chunks (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    upload_id uuid not null,
    seq integer not null
        constraint upload_chunks_seq_check check (seq >= 0),
    starts_at bigint not null
        constraint upload_chunks_starts_at_check check (starts_at >= 0),
    content bytea not null
        constraint upload_chunks_content_check check (octet_length(content) between 1 and 4194304),
    sha256 bytea not null generated always as (sha256(content)) stored,
    created_at timestamptz not null default now(),
    primary key (organization_id, upload_id, seq),
    constraint upload_chunks_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade
);
-- Read once and deleted: compressing would cost more than it saves.
alter table private.upload_chunks alter column content set storage external;
comment on table private.upload_chunks is
    'The pieces of a file that is being imported, deleted when it is. For the definer functions of imports: what is in a file is as much as leads.';
comment on column private.upload_chunks.seq is 'From 0, without a gap.';
comment on column private.upload_chunks.starts_at is 'The byte of the file with which it begins.';
comment on column private.upload_chunks.sha256 is 'Tells a piece that was sent twice from another one.';

select private.add_deny_policy('private.upload_chunks');
