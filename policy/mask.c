/* policy/mask.c - masks by type. */
#include "mask.h"
#include "guard.h"

#include <string.h>

enum {
	OID_CHAR = 18,
	OID_INT8 = 20,
	OID_INT4 = 23,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950
};

struct mask {
	const struct catalog *catalog;
	const struct cat_relation *relation;
	const struct cat_column *column;
	struct sb *sb;
};

/* $c is the column, $t the column as text, $T its type, $k the key. The rest is
 * copied. */
static bool
write_pattern(const struct mask *m, const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '$') {
			sb_char(m->sb, *pattern);
			continue;
		}
		switch (*++pattern) {
		case 'c':
			guard_name(m->sb, m->column->name);
			break;
		case 't':
			guard_name(m->sb, m->column->name);
			sb_str(m->sb, "::\"pg_catalog\".\"text\"");
			break;
		case 'k':
			sb_str(m->sb, "\"pg_catalog\".\"current_setting\"('" MASK_KEY_SETTING "')");
			break;
		default:
			if (!type_write(m->catalog, m->column->type, m->column->typmod, m->sb))
				return false;
		}
	}
	return true;
}

static bool
write_mask(const struct mask *m, const char *pattern, struct err *why)
{
	return write_pattern(m, pattern) || err_set(why,
						"the mask of column \"%s\" cannot be cast to the length of "
						"its type",
						m->column->name);
}

static bool
is_text(const struct cat_type *type)
{
	return type->kind == 'b' && type->category == 'S' && type->oid != OID_CHAR;
}

/* --- null, redact
 * ------------------------------------------------------------- */

/* A NULL of exactly this type: what a query gives that finds no row. A cast
 * would ask a domain whether it takes NULL, and needs a modifier that we can
 * write. */
static void
write_empty(const struct mask *m)
{
	sb_str(m->sb, "(SELECT ");
	guard_name(m->sb, m->column->name);
	sb_str(m->sb, " FROM ");
	guard_relation_name(m->relation, m->catalog, m->sb);
	sb_str(m->sb, " WHERE false)");
}

static bool
mask_null(const struct mask *m, const struct cat_type *type)
{
	struct sb typed = { 0 };

	if (type->kind != 'd' && type_write(m->catalog, m->column->type, m->column->typmod, &typed))
		sb_fmt(m->sb, "(NULL::%s)", sb_text(&typed));
	else
		write_empty(m);
	sb_free(&typed);
	return true;
}

static bool
mask_redact(const struct mask *m, const struct cat_type *type, struct err *why)
{
	if (!is_text(type))
		return mask_null(m, type);
	return write_mask(m, "('***'::\"pg_catalog\".\"text\"::$T)", why);
}

/* --- hash
 * ----------------------------------------------------------------------- */

#define SHA256(x) "\"pg_catalog\".\"sha256\"(" x ")"
#define BYTES(x) "\"pg_catalog\".\"convert_to\"(" x ", 'UTF8')"
#define AND_THEN " OPERATOR(\"pg_catalog\".||) "
#define LEFT(x, n) "\"pg_catalog\".\"left\"(" x ", " n ")"
/* The key goes in twice, as in HMAC: the inner hash alone could be lengthened.
 */
#define HASH "\"pg_catalog\".\"encode\"(" SHA256(BYTES("$k") AND_THEN SHA256(BYTES("$k" AND_THEN "$t"))) ", 'hex')"

static bool
mask_hash(const struct mask *m, const struct cat_type *type, struct err *why)
{
	if (is_text(type))
		return write_mask(m, "(" HASH "::$T)", why);
	switch (type->kind == 'b' ? type->oid : 0) {
	case OID_UUID:
		return write_mask(m, "(" LEFT(HASH, "32") "::$T)", why);
	case OID_INT4: /* 28 bits: never negative */
		return write_mask(m, "(('x'" AND_THEN LEFT(HASH, "7") ")::\"pg_catalog\".\"bit\"(28)::$T)", why);
	case OID_INT8:
		return write_mask(m, "(('x'" AND_THEN LEFT(HASH, "15") ")::\"pg_catalog\".\"bit\"(60)::$T)", why);
	default:
		return err_set(why,
		    "mask \"hash\" needs a text, uuid, integer or bigint "
		    "column, and it is of type %s",
		    type->name);
	}
}

/* --- partial
 * ---------------------------------------------------------------------- */

#define WHEN_LONGER(n) "WHEN \"pg_catalog\".\"length\"($t) OPERATOR(\"pg_catalog\".>) " n " THEN "

/* The last branch adds to nothing, so that NULL stays NULL. */
static const char partial_text[] = "((CASE WHEN $t OPERATOR(\"pg_catalog\".~) "
				   "'^[^@[:space:]]+@[^@[:space:]]+\\Z' THEN " LEFT("$t", "1") AND_THEN
    "'***@'" AND_THEN "\"pg_catalog\".\"split_part\"($t, '@', 2) " WHEN_LONGER(
	"8") "'***'" AND_THEN "\"pg_catalog\".\"right\"($t, 4) " WHEN_LONGER("3") LEFT("$t", "1") AND_THEN
    "'***' "
    "ELSE " LEFT("$t", "0") AND_THEN "'***' END)::$T)";

static bool
mask_partial(const struct mask *m, const struct cat_type *type, struct err *why)
{
	if (is_text(type))
		return write_mask(m, partial_text, why);
	switch (type->kind == 'b' ? type->oid : 0) {
	case OID_DATE:
	case OID_TIMESTAMP:
		return write_mask(m,
		    "(\"pg_catalog\".\"date_trunc\"('year', "
		    "$c::\"pg_catalog\".\"timestamp\")::$T)",
		    why);
	case OID_TIMESTAMPTZ:
		return write_mask(m,
		    "(\"pg_catalog\".\"date_trunc\"('year', "
		    "$c::\"pg_catalog\".\"timestamptz\", 'UTC')::$T)",
		    why);
	default:
		return err_set(why, "mask \"partial\" needs a text or date column, and it is of type %s", type->name);
	}
}

/* --- expression, and the choice
 * ----------------------------------------------------- */

static bool
mask_expression(const struct mask *m, const char *expression, struct err *why)
{
	sb_fmt(m->sb, "((%s)::", expression);
	if (!type_write(m->catalog, m->column->type, m->column->typmod, m->sb))
		return err_set(why, "mask \"expression\" cannot be cast to the length of its type");
	sb_char(m->sb, ')');
	return true;
}

bool
mask_write(const struct column_rule *rule, const struct catalog *c, const struct cat_relation *relation,
    const struct cat_column *column, struct sb *sb, struct err *why)
{
	const struct mask m = { .catalog = c, .relation = relation, .column = column, .sb = sb };
	const struct cat_type *type = catalog_type_of(c, column->type);

	if (type == NULL)
		return err_set(why, "the type of column \"%s\" is not in the catalog", column->name);
	switch (rule->mask) {
	case MASK_NULL:
		return mask_null(&m, type);
	case MASK_REDACT:
		return mask_redact(&m, type, why);
	case MASK_HASH:
		return mask_hash(&m, type, why);
	case MASK_PARTIAL:
		return mask_partial(&m, type, why);
	case MASK_EXPRESSION:
		return mask_expression(&m, rule->expression, why);
	}
	return err_set(why, "the mask of column \"%s\" is unknown", column->name);
}
