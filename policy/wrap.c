/* policy/wrap.c - functions that show what stands inside of the object that they are given. */
#include "substitute.h"

/* Functions of pg_catalog by name; "*" at the end: whatever follows. */
bool
wrap_needed(const char *function, enum wrap_kind *what, unsigned *argument)
{
	static const struct {
		const char *name;
		enum wrap_kind what;
	} functions[] = {
		{ "pg_get_viewdef", WRAP_RELATION },
		{ "pg_get_indexdef", WRAP_RELATION },
		{ "pg_get_partkeydef", WRAP_RELATION },
		{ "pg_get_partition_constraintdef", WRAP_RELATION },
		{ "pg_sequence_last_value", WRAP_RELATION },
		{ "pg_stat_get_live_tuples", WRAP_RELATION },
		{ "pg_stat_get_dead_tuples", WRAP_RELATION },
		{ "pg_stat_get_numscans", WRAP_RELATION },
		{ "pg_stat_get_mod_since_analyze", WRAP_RELATION },
		{ "pg_stat_get_ins_since_vacuum", WRAP_RELATION },
		{ "pg_stat_get_tuples_*", WRAP_RELATION },
		{ "pg_stat_get_blocks_*", WRAP_RELATION },
		{ "pg_stat_get_xact_tuples_*", WRAP_RELATION },
		{ "pg_stat_get_xact_blocks_*", WRAP_RELATION },
		{ "pg_get_functiondef", WRAP_FUNCTION },
		{ "pg_get_function_sqlbody", WRAP_FUNCTION },
		{ "pg_get_function_arg_default", WRAP_FUNCTION },
		{ "pg_get_ruledef", WRAP_RULE },
		{ "pg_get_constraintdef", WRAP_CONSTRAINT },
		{ "pg_get_triggerdef", WRAP_TRIGGER },
		{ "pg_get_statisticsobjdef", WRAP_STATISTICS },
		{ "pg_get_statisticsobjdef_expressions", WRAP_STATISTICS },
		{ "obj_description", WRAP_COMMENT },
		{ "col_description", WRAP_COMMENT },
	};

	for (size_t i = 0; i < nitems(functions); i++) {
		if (!glob_match(functions[i].name, function))
			continue;
		*what = functions[i].what;
		*argument = 0;
		return true;
	}
	return false;
}
