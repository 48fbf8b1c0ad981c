/* policy/catalog_sql.c - the SELECTs of the sections, in the order of catalog_rows.c's fields.
 *
 * Left out are temporary objects (whose schema only their own session can
 * name, and that no snapshot could follow), dropped columns and system
 * columns. Names are qualified: pg_temp is searched first for relations and
 * types unless a path says otherwise, and a client may have put a pg_class
 * there. Operators are safe: nothing is searched before pg_catalog under
 * catalog_prologue().
 */
#include "catalog_int.h"

const char *
catalog_prologue(void)
{
	/* The path: what pg_get_viewdef() and pg_get_expr() print is qualified
	 * then. Strings: they print backslashes as this setting says. Timeouts:
	 * pg_get_viewdef() waits for whoever has locked a table of the view, and
	 * our own session may have been given a short statement_timeout. */
	return "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
	       " pg_catalog.set_config('standard_conforming_strings', 'on', true),"
	       " pg_catalog.set_config('quote_all_identifiers', 'off', true),"
	       " pg_catalog.set_config('lock_timeout', '5s', true),"
	       " pg_catalog.set_config('statement_timeout', '120s', true),"
	       " pg_catalog.set_config('jit', 'off', true)";
}

/* clang-format off */
#define CLASS(name) "'pg_catalog." name "'::pg_catalog.regclass"
#define NO_OID "0::pg_catalog.oid"
#define TEMP_SCHEMA "'^pg_(toast_)?temp_[0-9]+$'"
#define LASTING(namespace) namespace " NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ " TEMP_SCHEMA ")"

/* The extension that an object of this catalog belongs to, as x. */
#define EXTENSION_OF(catalog, oid) \
	" LEFT JOIN (SELECT d.objid, e.extname FROM pg_catalog.pg_depend d" \
	" JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid" \
	" WHERE d.classid = " CLASS(catalog) " AND d.refclassid = " CLASS("pg_extension") " AND d.deptype = 'e') x ON x.objid = " oid

static const char database[] =
	"SELECT pg_catalog.current_setting('server_version_num'), oid, datname FROM pg_catalog.pg_database"
	" WHERE datname = pg_catalog.current_database()";

static const char namespaces[] =
	"SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname !~ " TEMP_SCHEMA " ORDER BY oid";

static const char relations[] =
	"SELECT c.oid, c.relnamespace, c.relname, c.relkind, c.relrowsecurity, c.relispartition, c.reltype,"
	" coalesce(i.indrelid, t.oid, " NO_OID "), x.extname"
	" FROM pg_catalog.pg_class c"
	" LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid"
	" LEFT JOIN pg_catalog.pg_class t ON t.reltoastrelid = c.oid AND c.relkind = 't'"
	EXTENSION_OF("pg_class", "c.oid")
	" WHERE c.relpersistence <> 't' ORDER BY c.oid";

static const char columns[] =
	"SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef,"
	" CASE WHEN a.attgenerated = '' THEN '-' ELSE a.attgenerated END,"
	" CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END"
	" FROM pg_catalog.pg_attribute a"
	" JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
	" LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''"
	" WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')"
	" AND c.relpersistence <> 't' ORDER BY a.attrelid, a.attnum";

static const char inheritance[] =
	"SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i"
	" JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid"
	" WHERE c.relpersistence <> 't' ORDER BY i.inhrelid, i.inhparent";

static const char views[] =
	"SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c"
	" WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' ORDER BY c.oid";

static const char depends[] =
	"SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d"
	" JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
	" JOIN pg_catalog.pg_class c ON c.oid = r.ev_class"
	" WHERE d.classid = " CLASS("pg_rewrite") " AND d.refclassid = " CLASS("pg_class")
	" AND d.deptype = 'n' AND r.rulename = '_RETURN' AND c.relpersistence <> 't' ORDER BY 1, 2, 3";

static const char policies[] =
	"SELECT p.polrelid, p.oid, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)"
	" FROM pg_catalog.pg_policy p"
	" JOIN pg_catalog.pg_class c ON c.oid = p.polrelid"
	" WHERE c.relpersistence <> 't' ORDER BY p.polrelid, p.oid";

/* Constant parts of these are worked out while a query is planned, whatever it
 * asks for. Most call nothing but PostgreSQL's own and are left out. */
#define CALLS(catalog, oid) \
	" EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = " CLASS(catalog) " AND d.objid = " oid \
	" AND d.refclassid IN (" CLASS("pg_proc") ", " CLASS("pg_operator") ") AND d.refobjid >= 16384)"
#define EXPRESSIONS(more) \
	"SELECT e.relation, e.object, e.expression FROM (" \
	"SELECT i.indrelid, i.indexrelid, pg_catalog.unnest(ARRAY[pg_catalog.pg_get_expr(i.indexprs, i.indrelid)," \
	" pg_catalog.pg_get_expr(i.indpred, i.indrelid)]) FROM pg_catalog.pg_index i" \
	" WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND" CALLS("pg_class", "i.indexrelid") \
	" UNION ALL " \
	"SELECT k.conrelid, k.oid, pg_catalog.pg_get_expr(k.conbin, k.conrelid) FROM pg_catalog.pg_constraint k" \
	" WHERE k.contype = 'c' AND k.conrelid <> 0 AND" CALLS("pg_constraint", "k.oid") \
	" UNION ALL " \
	"SELECT p.partrelid, p.partrelid, pg_catalog.pg_get_expr(p.partexprs, p.partrelid) FROM pg_catalog.pg_partitioned_table p" \
	" WHERE p.partexprs IS NOT NULL AND" CALLS("pg_class", "p.partrelid") \
	more ") e (relation, object, expression)" \
	" JOIN pg_catalog.pg_class c ON c.oid = e.relation" \
	" WHERE c.relpersistence <> 't' AND e.expression IS NOT NULL ORDER BY 1, 2"
#define STATISTICS \
	" UNION ALL " \
	"SELECT s.stxrelid, s.oid, pg_catalog.unnest(pg_catalog.pg_get_statisticsobjdef_expressions(s.oid))" \
	" FROM pg_catalog.pg_statistic_ext s" \
	" WHERE s.stxexprs IS NOT NULL AND" CALLS("pg_statistic_ext", "s.oid")

static const char expressions_13[] = EXPRESSIONS("");
static const char expressions[] = EXPRESSIONS(STATISTICS);

/* Functions that a type made by a user calls, without PostgreSQL's own. A
 * range compares by the operator class that it was made with. */
#define TYPE_SUPPORT(subscript) \
	"CASE WHEN t.oid < 16384 THEN '' ELSE pg_catalog.array_to_string(ARRAY(SELECT DISTINCT f FROM pg_catalog.unnest(" \
	"ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze," subscript \
	" r.rngcanonical, r.rngsubdiff]::pg_catalog.oid[] || ARRAY(SELECT p.amproc::pg_catalog.oid FROM pg_catalog.pg_opclass o" \
	" JOIN pg_catalog.pg_amproc p ON p.amprocfamily = o.opcfamily WHERE o.oid = r.rngsubopc)) f" \
	" WHERE f >= 16384 ORDER BY f), ' ') END"
#define TYPES(is_array, subscript, multirange, multiranges) \
	"SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typcategory, t.typispreferred," \
	" CASE WHEN t.typtype <> 'd' AND " is_array " THEN t.typelem ELSE " NO_OID " END, t.typarray," \
	" CASE t.typtype WHEN 'd' THEN t.typbasetype WHEN 'r' THEN coalesce(r.rngsubtype, " NO_OID ")" multirange \
	" ELSE " NO_OID " END, t.typtypmod, CASE t.typtype WHEN 'c' THEN t.typrelid ELSE " NO_OID " END," \
	" " TYPE_SUPPORT(subscript) ", x.extname" \
	" FROM pg_catalog.pg_type t" \
	" LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid" multiranges \
	EXTENSION_OF("pg_type", "t.oid") \
	" WHERE " LASTING("t.typnamespace") " ORDER BY t.oid"

/* A true array is what subscripting takes for one. */
static const char types_13[] = TYPES("t.typlen = -1", "", "", "");
static const char types[] =
	TYPES("t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc",
	      " t.typsubscript,",
	      " WHEN 'm' THEN coalesce(m.rngtypid, " NO_OID ")",
	      " LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid");

static const char checks[] =
	"SELECT k.contypid, k.oid, pg_catalog.pg_get_expr(k.conbin, 0) FROM pg_catalog.pg_constraint k"
	" JOIN pg_catalog.pg_type t ON t.oid = k.contypid"
	" WHERE k.contype = 'c' AND " LASTING("t.typnamespace") " ORDER BY k.contypid, k.oid";

static const char functions[] =
	"SELECT p.oid, p.pronamespace, p.proname, p.prokind, p.provolatile, p.proretset, p.prosecdef, l.lanname, p.prorettype,"
	" p.provariadic, p.pronargdefaults, p.proargtypes, pg_catalog.array_to_string(p.proallargtypes, ' '),"
	" pg_catalog.array_to_string(p.proargmodes, ''), pg_catalog.array_to_json(p.proargnames),"
	" pg_catalog.pg_get_expr(p.proargdefaults, 0), x.extname"
	" FROM pg_catalog.pg_proc p"
	" JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
	EXTENSION_OF("pg_proc", "p.oid")
	" WHERE " LASTING("p.pronamespace") " ORDER BY p.oid";

static const char aggregates[] =
	"SELECT a.aggfnoid::pg_catalog.oid, a.aggkind, a.aggnumdirectargs, pg_catalog.array_to_string(pg_catalog.array_remove("
	"ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,"
	" a.aggmfinalfn, o.oprcode]::pg_catalog.oid[], " NO_OID "), ' '), a.aggtranstype, a.aggmtranstype"
	" FROM pg_catalog.pg_aggregate a"
	" LEFT JOIN pg_catalog.pg_operator o ON o.oid = a.aggsortop"
	" ORDER BY a.aggfnoid::pg_catalog.oid";

static const char operators[] =
	"SELECT o.oid, o.oprnamespace, o.oprname, o.oprleft, o.oprright, o.oprresult, o.oprcode::pg_catalog.oid, x.extname"
	" FROM pg_catalog.pg_operator o"
	EXTENSION_OF("pg_operator", "o.oid")
	" WHERE " LASTING("o.oprnamespace") " ORDER BY o.oid";

static const char casts[] =
	"SELECT castsource, casttarget, castfunc, castcontext, castmethod FROM pg_catalog.pg_cast ORDER BY castsource, casttarget";

/* Of btree (403) and hash (405): what is in the family for the class's type on
 * either side, support functions and the operators' functions. */
static const char opclasses[] =
	"WITH f AS ("
	"SELECT amprocfamily AS family, amproclefttype AS l, amprocrighttype AS r, amproc::pg_catalog.oid AS function"
	" FROM pg_catalog.pg_amproc"
	" UNION "
	"SELECT a.amopfamily, a.amoplefttype, a.amoprighttype, o.oprcode::pg_catalog.oid"
	" FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr)"
	" SELECT c.oid, c.opcintype, c.opcmethod = 403, c.opcdefault,"
	" pg_catalog.string_agg(DISTINCT f.function::pg_catalog.text, ' ')"
	" FROM pg_catalog.pg_opclass c"
	" JOIN f ON f.family = c.opcfamily AND c.opcintype IN (f.l, f.r)"
	" WHERE c.opcmethod IN (403, 405) AND f.function >= 16384"
	" GROUP BY c.oid, c.opcintype, c.opcmethod, c.opcdefault ORDER BY c.oid";
/* clang-format on */

#define SINCE_14 140000

/* earlier: for a server before 14; NULL: the same. */
static const struct {
	const char *sql, *earlier;
} sections[NSECTIONS] = {
	[S_DATABASE] = { database, NULL },
	[S_NAMESPACES] = { namespaces, NULL },
	[S_RELATIONS] = { relations, NULL },
	[S_COLUMNS] = { columns, NULL },
	[S_INHERITANCE] = { inheritance, NULL },
	[S_VIEWS] = { views, NULL },
	[S_DEPENDS] = { depends, NULL },
	[S_POLICIES] = { policies, NULL },
	[S_EXPRESSIONS] = { expressions, expressions_13 },
	[S_TYPES] = { types, types_13 },
	[S_CHECKS] = { checks, NULL },
	[S_FUNCTIONS] = { functions, NULL },
	[S_AGGREGATES] = { aggregates, NULL },
	[S_OPERATORS] = { operators, NULL },
	[S_CASTS] = { casts, NULL },
	[S_OPCLASSES] = { opclasses, NULL },
};

const char *
catalog_section_sql(size_t section, int server_version)
{
	return server_version < SINCE_14 && sections[section].earlier != NULL ? sections[section].earlier : sections[section].sql;
}
