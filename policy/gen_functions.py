#!/usr/bin/env python3
"""Writes functions_builtin.inc, functions_extension.inc and catalog_names.inc.

    policy/gen_functions.py CONNINFO [OUTPUT_FOLDER]

Reads pg_proc, pg_type and pg_class of a running PostgreSQL through psql, as a
superuser of a scratch database: every contrib extension is created in a
transaction that is rolled back. The output is sorted and holds nothing of the
machine, so that a new PostgreSQL version shows its new functions as a diff.
What a reader of that diff has to judge is in RULES below: the first rule that
matches a name decides; without one, volatility does.

Left out on purpose are functions that SQL cannot call (an argument of type
internal, trigger functions): a function of the same name that can be called
is somebody's own.
"""
import re
import subprocess
import sys

# (names, verdict, reason): verdicts are
#   HARMLESS  volatile, yet open: its answer changes, nothing else does
#   VOLATILE  refused, unless functions.volatile is "allow" or functions.allow names it
#   REFUSED   refused, unless functions.allow names it exactly
#   OPEN      open, although a later rule or its volatility says otherwise
RULES = [
    # -- runs SQL that it gets as text, or reads what a name in an argument says
    (r"(query|table|schema|database|cursor)_to_xml(schema|_and_xmlschema)?", "REFUSED", "SQL_TEXT"),
    (r"ts_stat", "REFUSED", "SQL_TEXT"),
    (r"ts_rewrite", "REFUSED", "SQL_TEXT"),  # only the overload that is volatile: (tsquery, text)
    (r"(domain|record|array|anyarray|anycompatiblearray|range|multirange|anyrange)_in", "REFUSED", "TYPE_INPUT"),
    # -- files and configuration of the server
    (r"pg_read_(binary_)?file.*|pg_ls_.*|pg_stat_file|pg_current_logfile|lo_import|lo_export", "REFUSED", "FILES"),
    (r"pg_hba_file_rules|pg_ident_file_mappings|pg_show_all_file_settings|pg_config", "REFUSED", "CONFIG"),
    (r"pg_relation_file(path|node)|pg_filenode_relation", "REFUSED", "FILES"),
    # -- other sessions
    (r"pg_stat_get_activity|pg_stat_get_backend_(activity|client_addr|client_port)", "REFUSED", "SESSIONS"),
    (r"pg_stat_get_wal_(senders|receiver)|pg_stat_get_subscription|pg_prepared_xact", "REFUSED", "SESSIONS"),
    (r"pg_(terminate|cancel)_backend|pg_log_backend_memory_contexts", "REFUSED", "END_SESSIONS"),
    (r"pg_get_backend_memory_contexts|pg_get_shmem_allocations.*|pg_get_aios", "REFUSED", "MEMORY"),
    (r"pg_mcv_list_items", "REFUSED", "STATISTICS"),
    # -- state
    (r"set_config", "REFUSED", "SETTINGS"),
    (r"lo_get|lo_open|loread", "REFUSED", "LARGE_READ"),
    (r"lo_.*|lowrite|loread", "VOLATILE", "LARGE_WRITE"),
    (r"pg_(try_)?advisory_.*", "VOLATILE", "LOCKS"),
    (r"nextval|setval", "VOLATILE", "SEQUENCE_WRITE"),
    (r"currval|lastval|pg_sequence_last_value|pg_get_sequence_data", "VOLATILE", "SEQUENCE_READ"),
    (r"pg_notify", "VOLATILE", "NOTIFY"),
    (r"pg_sleep.*", "VOLATILE", "SLEEP"),
    (r"txid_current|pg_current_xact_id", "VOLATILE", "XID"),
    (r"setseed|pg_stat_clear_snapshot|pg_stat_force_next_flush", "VOLATILE", "SESSION"),
    (r"pg_export_snapshot", "REFUSED", "SESSIONS"),
    # -- administration
    (r"binary_upgrade_.*|pg_nextoid|pg_stop_making_pinned_objects|pg_extension_config_dump", "REFUSED", "ADMIN"),
    (r"pg_replication_origin_(progress|session_progress|session_is_setup)|pg_show_replication_origin_status", "HARMLESS", "NONE"),
    (r"pg_replication_origin_oid", "OPEN", "NONE"),
    (r"pg_(create|drop|copy)_.*replication_slot|pg_create_restore_point|pg_logical_.*|pg_replication_.*", "REFUSED", "ADMIN"),
    (r"pg_sync_replication_slots|pg_stat_reset.*|pg_switch_wal|pg_promote|pg_wal_replay_(pause|resume)", "REFUSED", "ADMIN"),
    (r"pg_backup_(start|stop)|pg_(start|stop)_backup|pg_reload_conf|pg_rotate_logfile.*", "REFUSED", "ADMIN"),
    (r"pg_import_system_collations|gin_clean_pending_list|brin_(de)?summarize_.*", "REFUSED", "ADMIN"),
    (r".*_validator|.*_(call|inline)_handler", "REFUSED", "ADMIN"),
    (r"pg_(restore|clear)_(relation|attribute)_stats|pg_set_(relation|attribute)_stats", "REFUSED", "ADMIN"),
    # -- volatile and harmless: clocks, chance, sizes, counters, facts that everybody may know
    (r"random|random_normal|gen_random_uuid|uuidv[47]|clock_timestamp|timeofday|current_query", "HARMLESS", "NONE"),
    (r"array_shuffle|array_sample|bernoulli|system", "HARMLESS", "NONE"),
    (r"pg_(relation|table|indexes|total_relation|database|tablespace)_size", "HARMLESS", "NONE"),
    (r"pg_is_(in_recovery|wal_replay_paused)|pg_get_wal_.*|pg_last_.*|pg_current_wal_.*", "HARMLESS", "NONE"),
    (r"pg_partition_(tree|ancestors)|amvalidate|pg_jit_available", "HARMLESS", "NONE"),
    (r"pg_blocking_pids|pg_safe_snapshot_blocking_pids|pg_isolation_test_session_is_blocked|pg_lock_status", "HARMLESS", "NONE"),
    (r"pg_(database_)?collation_actual_version|pg_control_.*|pg_get_multixact_members|pg_notification_queue_usage", "HARMLESS", "NONE"),
    (r"pg_xact_.*|txid_status|pg_stat_have_stats|pg_stat_get_.*", "HARMLESS", "NONE"),
    (r"pg_show_replication_.*|pg_backend_pid|pg_postmaster_start_time|pg_conf_load_time", "HARMLESS", "NONE"),
]

# What PostgreSQL 16 to 18 added, for when this runs against an older one:
# name, volatility, least and most arguments. What is not here is refused there as a user-defined function.
LATER_FUNCTIONS = [
    ("any_value", "i", 1, 1), ("array_reverse", "i", 1, 1), ("array_sample", "v", 2, 2), ("array_shuffle", "v", 1, 1),
    ("array_sort", "i", 1, 3), ("casefold", "i", 1, 1), ("crc32", "i", 1, 1), ("crc32c", "i", 1, 1), ("date_add", "s", 2, 3),
    ("date_subtract", "s", 2, 3), ("erf", "i", 1, 1), ("erfc", "i", 1, 1), ("gamma", "i", 1, 1), ("lgamma", "i", 1, 1),
    ("icu_unicode_version", "i", 0, 0), ("json_strip_nulls", "i", 1, 2), ("jsonb_strip_nulls", "i", 1, 2),
    ("pg_basetype", "s", 1, 1), ("pg_get_acl", "s", 3, 3), ("pg_available_wal_summaries", "v", 0, 0),
    ("pg_stat_get_checkpointer_num_timed", "s", 0, 0), ("pg_stat_get_io", "v", 0, 0), ("random_normal", "v", 0, 2),
    ("random", "v", 0, 2), ("system_user", "s", 0, 0), ("to_bin", "i", 1, 1), ("to_oct", "i", 1, 1), ("to_regtypemod", "s", 1, 1),
    ("unicode_assigned", "i", 1, 1), ("unicode_version", "i", 0, 0), ("uuid_extract_timestamp", "i", 1, 1),
    ("uuid_extract_version", "i", 1, 1), ("uuidv4", "v", 0, 0), ("uuidv7", "v", 0, 1), ("xmltext", "i", 1, 1),
]
LATER_CATALOGS = [
    "pg_aios", "pg_shmem_allocations_numa", "pg_stat_checkpointer", "pg_stat_io", "pg_stat_progress_data_sync_initialization",
    "pg_stat_subscription_stats", "pg_wait_events",
]

# Relations that say what somebody may not see: values of columns, passwords, other sessions' statements,
# files, connection strings. Whole schemas and extensions' views are in profile.c.
LEAKING = {
    "pg_aios", "pg_authid", "pg_backend_memory_contexts", "pg_config", "pg_db_role_setting", "pg_file_settings", "pg_hba_file_rules",
    "pg_ident_file_mappings", "pg_largeobject", "pg_prepared_xacts", "pg_shadow", "pg_shmem_allocations",
    "pg_shmem_allocations_numa", "pg_stat_activity", "pg_stat_wal_receiver", "pg_statistic", "pg_statistic_ext_data", "pg_stats",
    "pg_stats_ext", "pg_stats_ext_exprs", "pg_subscription", "pg_user_mapping", "pg_user_mappings",
}
LEAKING_INFORMATION_SCHEMA = {"_pg_user_mappings", "user_mapping_options", "_pg_foreign_servers", "foreign_server_options"}

# Contrib extensions that are refused whole: they read pages and files, reach other servers or administer.
EXTENSIONS_REFUSED = {
    "adminpack", "amcheck", "dblink", "file_fdw", "lo", "old_snapshot", "pageinspect", "pg_buffercache", "pg_freespacemap",
    "pg_prewarm", "pg_stat_statements", "pg_surgery", "pg_visibility", "pg_walinspect", "pgrowlocks", "pgstattuple",
    "postgres_fdw", "basic_archive", "pg_logicalinspect",
}
EXTENSIONS_SKIPPED = re.compile(r"pl|.*_pl|bool_pl|jsonb_pl|hstore_pl|ltree_pl")
EXTENSION_RULES = [
    ("tablefunc", r"crosstab.*|connectby", "REFUSED", "SQL_TEXT"),
    ("tablefunc", r"normal_rand", "HARMLESS", "NONE"),
    ("xml2", r"xpath_table|xslt_process", "REFUSED", "SQL_TEXT"),
    ("uuid-ossp", r"uuid_generate_v(1|1mc|4)", "HARMLESS", "NONE"),
    ("pgcrypto", r"gen_random_bytes|gen_random_uuid|gen_salt", "HARMLESS", "NONE"),
    ("isn", r"isn_weak", "VOLATILE", "SESSION"),  # immutable, it says
    ("tsm_system_rows", r"system_rows", "HARMLESS", "NONE"),
    ("tsm_system_time", r"system_time", "HARMLESS", "NONE"),
]

MOST = 127  # arguments of a variadic function
TABLESAMPLE = "('bernoulli','system','system_rows','system_time')"  # their argument is internal, but SQL names them

# A row an overload. Ordered-set aggregates are called with their direct arguments only; what WITHIN GROUP sorts
# by stands elsewhere in the parse tree.
OVERLOADS = """
SELECT p.proname, p.provolatile,
       CASE WHEN a.aggkind IN ('o','h') THEN least(a.aggnumdirectargs, p.pronargs) ELSE p.pronargs - p.pronargdefaults END
         - CASE WHEN p.provariadic <> 0 AND a.aggkind IS DISTINCT FROM 'h' THEN 1 WHEN p.provariadic <> 0 THEN a.aggnumdirectargs ELSE 0 END,
       CASE WHEN p.provariadic <> 0 THEN {most} ELSE p.pronargs END
  FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
 WHERE (NOT 'internal'::regtype = ANY (p.proargtypes) OR p.proname IN {tablesample})
   AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND {where}
"""
# int4('1'): the name of a type called like a function is a cast.
TYPES = """
SELECT t.typname, 'i', 1, 1 FROM pg_catalog.pg_type t
 WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm') AND t.typname NOT LIKE '\\_%'
"""


def psql(conninfo, sql):
    out = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", conninfo],
                         input="SET client_min_messages = error;\n" + sql, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def overloads(where):
    return OVERLOADS.format(most=MOST, tablesample=TABLESAMPLE, where=where)


def by_name(rows):
    functions = {}
    for name, volatility, least, most in rows:
        functions.setdefault(name, []).append((volatility, max(int(least), 0), int(most)))
    return functions


def argument_mask(rows):
    mask = 0
    for _, least, most in rows:
        for n in range(least, min(most, 31) + 1):
            mask |= 1 << n
    return mask


def verdict(rules, name, rows):
    """verdict, reason and the argument counts that they are about (0: all)."""
    volatile = [r for r in rows if r[0] == "v"]
    rest = [r for r in rows if r[0] != "v"]
    about = argument_mask(volatile) & ~argument_mask(rest) if volatile and rest else 0
    for pattern, answer, reason in rules:
        if re.fullmatch(pattern, name):
            if answer == "HARMLESS" and not volatile:
                return "OPEN", "NONE", 0
            return answer, reason, about
    if volatile:
        return "VOLATILE", "NONE", about
    return "OPEN", "NONE", 0


def entry(name, rows, answer, reason, about):
    classes = "".join(sorted({r[0] for r in rows}))
    return '{ "%s", "%s", %d, %d, %s, %s, %s }' % (
        name, classes, min(r[1] for r in rows), max(r[2] for r in rows), hex(about), answer, reason)


def write(folder, name, what, sections):
    with open(f"{folder}/{name}", "w", encoding="ascii") as f:
        f.write(f"/* policy/{name} - {what}\n * Made by policy/gen_functions.py; do not edit. */\n")
        for macro, lines in sections:
            f.write(f"#ifdef {macro}\n" + "\n".join(lines) + "\n#endif\n")


def builtin_lines(conninfo, schema, types):
    rows = psql(conninfo, overloads(f"p.pronamespace = '{schema}'::regnamespace") + ";")
    if types:
        rows += [list(map(str, r)) for r in LATER_FUNCTIONS]
    functions = by_name(rows)
    if types:
        for name, *rest in psql(conninfo, TYPES + ";"):
            functions.setdefault(name, [(rest[0], 1, 1)])
    return [entry(n, functions[n], *verdict(RULES, n, functions[n])) + "," for n in sorted(functions)]


def extension_lines(conninfo):
    lines = []
    for (name,) in sorted(psql(conninfo, "SELECT name FROM pg_available_extensions;")):
        if EXTENSIONS_SKIPPED.match(name):
            continue
        where = ("EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.deptype = 'e'"
                 f" WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND e.extname = '{name}')")
        rows = psql(conninfo, f'BEGIN; DROP EXTENSION IF EXISTS "{name}" CASCADE; CREATE EXTENSION "{name}" CASCADE;'
                    f"{overloads(where)}; ROLLBACK;")
        rules = [r[1:] for r in EXTENSION_RULES if r[0] == name]
        if name in EXTENSIONS_REFUSED:
            rules = [(r".*", "REFUSED", "EXTENSION")]
        functions = by_name(rows)
        for n in functions:
            lines.append((n, name, '{ "%s", %s },' % (name, entry(n, functions[n], *verdict(rules, n, functions[n])))))
    return [line for _, _, line in sorted(lines)]


def catalog_lines(conninfo, schema, later, leaking):
    names = {r[0] for r in psql(conninfo, "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace ="
                                          f" '{schema}'::regnamespace;")}
    return ['{ "%s", %s, %s },' % (n, "LEAKS" if n in leaking else "OPEN", "LATER" if n not in names else "ALWAYS")
            for n in sorted(names | set(later) | leaking)]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    conninfo, folder = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else sys.path[0]
    write(folder, "functions_builtin.inc", "name, volatility of its overloads, least and most arguments,\n"
          " * the argument counts that the verdict is about (a bit each; 0: all), verdict, reason.",
          [("BUILTIN_PG_CATALOG", builtin_lines(conninfo, "pg_catalog", True)),
           ("BUILTIN_INFORMATION_SCHEMA", builtin_lines(conninfo, "information_schema", False))])
    write(folder, "functions_extension.inc", "extension, then as in functions_builtin.inc;\n * sorted by function.",
          [("EXTENSION_FUNCTIONS", extension_lines(conninfo))])
    write(folder, "catalog_names.inc", "relations of the system schemas: name, verdict, since when.",
          [("CATALOG_PG_CATALOG", catalog_lines(conninfo, "pg_catalog", LATER_CATALOGS, LEAKING)),
           ("CATALOG_INFORMATION_SCHEMA", catalog_lines(conninfo, "information_schema", [], LEAKING_INFORMATION_SCHEMA))])


if __name__ == "__main__":
    main()
