/* policy/definitions.c - which columns of the system catalogs show what is inside of whose objects. */
#include "definitions.h"
#include "definitions_sql.h"

#include <string.h>

#define P "pg_catalog"
#define I "information_schema"

static const struct definition definitions[] = {
	/* by OID */
	{ P, "pg_enum", "enumlabel", OWNER_TYPE, { "enumtypid" } },
	{ P, "pg_type", "typdefault", OWNER_TYPE, { "oid" } },
	{ P, "pg_type", "typdefaultbin", OWNER_TYPE, { "oid" } },
	{ P, "pg_attrdef", "adbin", OWNER_COLUMN, { "adrelid", "adnum" } },
	{ P, "pg_attribute", "attmissingval", OWNER_VALUES, { "attrelid" } },
	{ P, "pg_attribute", "attfdwoptions", OWNER_RELATION, { "attrelid" } },
	{ P, "pg_class", "relpartbound", OWNER_RELATION, { "oid" } },
	{ P, "pg_class", "reltuples", OWNER_RELATION, { "oid" } },
	{ P, "pg_rewrite", "ev_action", OWNER_RELATION, { "ev_class" } },
	{ P, "pg_rewrite", "ev_qual", OWNER_RELATION, { "ev_class" } },
	{ P, "pg_constraint", "conbin", OWNER_CONSTRAINT, { "conrelid", "contypid" } },
	{ P, "pg_index", "indexprs", OWNER_RELATION, { "indrelid" } },
	{ P, "pg_index", "indpred", OWNER_RELATION, { "indrelid" } },
	{ P, "pg_trigger", "tgqual", OWNER_RELATION, { "tgrelid" } },
	{ P, "pg_trigger", "tgargs", OWNER_RELATION, { "tgrelid" } },
	{ P, "pg_partitioned_table", "partexprs", OWNER_RELATION, { "partrelid" } },
	{ P, "pg_publication_rel", "prqual", OWNER_RELATION, { "prrelid" } },
	{ P, "pg_statistic_ext", "stxexprs", OWNER_RELATION, { "stxrelid" } },
	{ P, "pg_proc", "prosrc", OWNER_FUNCTION, { "oid" } },
	{ P, "pg_proc", "probin", OWNER_FUNCTION, { "oid" } },
	{ P, "pg_proc", "prosqlbody", OWNER_FUNCTION, { "oid" } },
	{ P, "pg_proc", "proconfig", OWNER_FUNCTION, { "oid" } },
	{ P, "pg_proc", "proargdefaults", OWNER_FUNCTION, { "oid" } },
	{ P, "pg_aggregate", "agginitval", OWNER_FUNCTION, { "aggfnoid" } },
	{ P, "pg_aggregate", "aggminitval", OWNER_FUNCTION, { "aggfnoid" } },
	{ P, "pg_description", "description", OWNER_COMMENT, { "objoid", "classoid" } },
	/* counts of rows: all bigint columns */
	{ P, "pg_stat*_tables", NULL, OWNER_RELATION, { "relid" } },
	{ P, "pg_stat*_indexes", NULL, OWNER_RELATION, { "relid" } },
	{ P, "pg_statio_*_sequences", NULL, OWNER_RELATION, { "relid" } },
	/* by name */
	{ P, "pg_views", "definition", OWNER_RELATION_NAME, { "schemaname", "viewname" } },
	{ P, "pg_matviews", "definition", OWNER_RELATION_NAME, { "schemaname", "matviewname" } },
	{ P, "pg_rules", "definition", OWNER_RELATION_NAME, { "schemaname", "tablename" } },
	{ P, "pg_indexes", "indexdef", OWNER_RELATION_NAME, { "schemaname", "tablename" } },
	{ P, "pg_sequences", "last_value", OWNER_RELATION_NAME, { "schemaname", "sequencename" } },
	{ P, "pg_publication_tables", "rowfilter", OWNER_RELATION_NAME, { "schemaname", "tablename" } },
	{ I, "columns", "column_default", OWNER_COLUMN_NAME, { "table_schema", "table_name", "column_name" } },
	{ I, "columns", "generation_expression", OWNER_COLUMN_NAME, { "table_schema", "table_name", "column_name" } },
	{ I, "views", "view_definition", OWNER_RELATION_NAME, { "table_schema", "table_name" } },
	{ I, "triggers", "action_condition", OWNER_RELATION_NAME, { "event_object_schema", "event_object_table" } },
	{ I, "triggers", "action_statement", OWNER_RELATION_NAME, { "event_object_schema", "event_object_table" } },
	{ I, "domains", "domain_default", OWNER_TYPE_NAME, { "domain_schema", "domain_name" } },
	{ I, "check_constraints", "check_clause", OWNER_SCHEMA_NAME, { "constraint_schema" } },
	{ I, "routines", "routine_definition", OWNER_SPECIFIC_NAME, { "specific_name" } },
	{ I, "parameters", "parameter_default", OWNER_SPECIFIC_NAME, { "specific_name" } },
	/* who sees which rows is for nobody who has rules of his own */
	{ P, "pg_policy", "polqual", OWNER_ANYBODY, { "polrelid" } },
	{ P, "pg_policy", "polwithcheck", OWNER_ANYBODY, { "polrelid" } },
	{ P, "pg_policies", "qual", OWNER_ANYBODY, { "tablename" } },
	{ P, "pg_policies", "with_check", OWNER_ANYBODY, { "tablename" } },
	/* the server's own */
	{ P, "pg_settings", "setting", OWNER_SETTING, { "name" } },
	{ P, "pg_settings", "boot_val", OWNER_SETTING, { "name" } },
	{ P, "pg_settings", "reset_val", OWNER_SETTING, { "name" } },
	{ P, "pg_settings", "sourcefile", OWNER_SERVER, { "name" } },
	/* passwords, hosts, files, programs: not even there */
	{ P, "pg_roles", "rolconfig", OWNER_CLOSED, { NULL } },
	{ P, "pg_user", "useconfig", OWNER_CLOSED, { NULL } },
	{ P, "pg_foreign_server", "srvoptions", OWNER_CLOSED, { NULL } },
	{ P, "pg_foreign_data_wrapper", "fdwoptions", OWNER_CLOSED, { NULL } },
	{ P, "pg_foreign_table", "ftoptions", OWNER_CLOSED, { NULL } },
	{ I, "_pg_foreign_tables", "ftoptions", OWNER_CLOSED, { NULL } },
	{ I, "_pg_foreign_data_wrappers", "fdwoptions", OWNER_CLOSED, { NULL } },
	{ I, "foreign_table_options", "option_value", OWNER_CLOSED, { NULL } },
	{ I, "foreign_data_wrapper_options", "option_value", OWNER_CLOSED, { NULL } },
};

enum { OID_INT8 = 20 };

static bool
is_about(const struct definition *d, const char *schema, const struct cat_relation *r)
{
	return strcmp(d->schema, schema) == 0 && glob_match(d->relation, r->name);
}

static bool
is_of_column(const struct definition *d, const struct cat_column *column)
{
	return d->column != NULL ? strcmp(d->column, column->name) == 0 : column->type == OID_INT8;
}

static bool
has_keys(const struct definition *d, const struct cat_relation *r)
{
	for (size_t i = 0; i < nitems(d->keys) && d->keys[i] != NULL; i++)
		if (relation_column(r, d->keys[i]) == NULL)
			return false;
	return true;
}

static void
close_column(struct guard *g, size_t i)
{
	g->actions[i] = COLUMN_DENY;
	g->ndenied++;
}

/* A catalog of a version that has no such key: closed, since its rows cannot be told apart. */
static void
guard_one(struct guard *g, const struct definition *d, struct definition_text *text, size_t i)
{
	struct sb loud = { 0 }, quiet = { 0 };

	if (d->owner == OWNER_CLOSED || !has_keys(d, g->relation)) {
		close_column(g, i);
		return;
	}
	switch (definition_write(text, d, &g->relation->columns[i], &loud, &quiet)) {
	case DEFINITION_OPEN:
		break;
	case DEFINITION_MASKED:
		g->actions[i] = COLUMN_MASK;
		g->masks[i] = sb_take(&loud);
		g->quiet[i] = quiet.len > 0 ? sb_take(&quiet) : NULL;
		g->nmasked++;
		break;
	case DEFINITION_TOO_MANY:
		close_column(g, i);
	}
	sb_free(&loud);
	sb_free(&quiet);
}

struct guard *
definitions_make(
    const struct profile *p, const struct catalog *c, const struct restricted_objects *restricted, const struct cat_relation *r)
{
	struct definition_text text = { .profile = p, .catalog = c, .restricted = restricted };
	const char *schema = catalog_schema_name(c, r->namespace);
	struct guard *g = NULL;

	for (size_t d = 0; d < nitems(definitions); d++) {
		if (!is_about(&definitions[d], schema, r))
			continue;
		if (g == NULL)
			g = guard_new(r);
		for (size_t i = 0; i < r->ncolumns; i++)
			if (g->actions[i] == COLUMN_OPEN && is_of_column(&definitions[d], &r->columns[i]))
				guard_one(g, &definitions[d], &text, i);
	}
	if (g == NULL || g->ndenied + g->nmasked > 0) {
		if (g != NULL)
			g->definitions = true;
		return g;
	}
	guard_free(g);
	return NULL;
}

/* --- settings ----------------------------------------------------------------------- */

static const char *const closed_settings[] = { "archive_cleanup_command", "archive_command", "archive_library", "config_file",
	"data_directory", "dynamic_library_path", "external_pid_file", "hba_file", "ident_file", "krb_server_keyfile",
	"local_preload_libraries", "log_directory", "log_filename", "primary_conninfo", "primary_slot_name", "promote_trigger_file",
	"recovery_end_command", "restore_command", "session_preload_libraries", "shared_preload_libraries", "ssl_ca_file",
	"ssl_cert_file", "ssl_crl_dir", "ssl_crl_file", "ssl_dh_params_file", "ssl_key_file", "ssl_passphrase_command",
	"stats_temp_directory", "unix_socket_directories" };

bool
definitions_setting_closed(const char *name)
{
	for (size_t i = 0; i < nitems(closed_settings); i++)
		if (strcasecmp(name, closed_settings[i]) == 0)
			return true;
	return false;
}

const char *const *
definitions_settings(size_t *n)
{
	*n = nitems(closed_settings);
	return closed_settings;
}
