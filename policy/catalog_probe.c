/* policy/catalog_probe.c - the SELECT that tells whether a new snapshot could differ.
 *
 * A row of a system catalog never changes in place, but for statistics: each
 * change is a new version, told from all others by xmin and ctid. So per
 * catalog the number of rows and a sum of hashes over their versions stand
 * for its whole content, and no text is read. Several statements of one
 * transaction share an xmin, which is why ctid counts too.
 *
 * age(xmin), made absolute again, is the only way from xid to a number that
 * does not go through text; rows that initdb made have none, and an age that
 * never grows. When transaction ids pass 2^31 the probe differs once for
 * nothing.
 *
 * It runs under the client's own search_path: functions and operators are
 * qualified, and IN and CASE x WHEN, which look for an operator named "=", are
 * not used. What belongs to temporary tables is left out where that is cheap.
 */
#include "catalog_int.h"

#define EQUALS " OPERATOR(pg_catalog.=) "
#define DIFFERS " OPERATOR(pg_catalog.<>) "
#define IS_USERS " OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid"
#define AGE "pg_catalog.int8(pg_catalog.age(t.xmin))"
#define NO_AGE "2147483647::pg_catalog.int8"
#define ZERO_AGE "pg_catalog.int8(pg_catalog.age('3'::pg_catalog.xid))"
#define VERSION                                                                                                                    \
	"pg_catalog.hashint8extended(pg_catalog.int8xor(pg_catalog.int8(pg_catalog.hashtid(t.ctid)), CASE WHEN " AGE EQUALS NO_AGE \
	" THEN 0::pg_catalog.int8 ELSE pg_catalog.int8shl(pg_catalog.int8mi(" AGE ", " ZERO_AGE "), 32) END), 0)"
#define ROWS(catalog) \
	"(SELECT pg_catalog.concat(pg_catalog.count(*), '/', pg_catalog.sum(" VERSION ")) FROM pg_catalog." catalog " t"
#define ALL(catalog) ", " ROWS(catalog) ")"
#define THOSE(catalog, which) ", " ROWS(catalog) " WHERE " which ")"

#define LASTING_RELATION(oid) \
	"NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid" EQUALS oid " AND c.relpersistence" EQUALS "'t')"
#define IS_TEMP "OPERATOR(pg_catalog.~) '^pg_(toast_)?temp_[0-9]+$'"
#define LASTING_SCHEMA(oid) "NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.oid" EQUALS oid " AND n.nspname " IS_TEMP ")"

/* clang-format off */
const char *
catalog_probe_sql(int server_version)
{
	(void)server_version; /* the same for all since 13 */
	return "SELECT pg_catalog.concat_ws(' ', pg_catalog.current_setting('server_version_num')"
	       ", (SELECT pg_catalog.concat(d.oid, ':', d.datname) FROM pg_catalog.pg_database d"
	       " WHERE d.datname" EQUALS "pg_catalog.current_database())"
	       THOSE("pg_namespace", "NOT (t.nspname " IS_TEMP ")")
	       THOSE("pg_class", "t.relpersistence" DIFFERS "'t'")
	       /* PostgreSQL's own relations keep their columns; a view of its own that is replaced is another rule */
	       THOSE("pg_attribute", "t.attrelid" IS_USERS " AND t.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2"
				     " AND " LASTING_RELATION("t.attrelid"))
	       THOSE("pg_inherits", LASTING_RELATION("t.inhrelid"))
	       THOSE("pg_rewrite", LASTING_RELATION("t.ev_class"))
	       THOSE("pg_constraint", "t.contype" EQUALS "'c'")
	       ALL("pg_policy")
	       ALL("pg_statistic_ext")
	       THOSE("pg_type", LASTING_SCHEMA("t.typnamespace"))
	       THOSE("pg_proc", LASTING_SCHEMA("t.pronamespace"))
	       ALL("pg_aggregate")
	       ALL("pg_language")
	       ALL("pg_operator")
	       ALL("pg_cast")
	       ALL("pg_range")
	       ALL("pg_opclass")
	       ALL("pg_amop")
	       ALL("pg_amproc")
	       ALL("pg_extension")
	       THOSE("pg_depend", "t.refclassid" EQUALS "'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid"
				  " AND t.deptype" EQUALS "'e'")
	       ")";
}
/* clang-format on */
