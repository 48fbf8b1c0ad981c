/* policy/mask_type.c - types as a cast writes them. */
#include "guard.h"
#include "mask.h"

/* OIDs of built-in types never change. */
enum {
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_TIME = 1083,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_INTERVAL = 1186,
	OID_TIMETZ = 1266,
	OID_BIT = 1560,
	OID_VARBIT = 1562,
	OID_NUMERIC = 1700
};

#define HEADER 4 /* VARHDRSZ: what PostgreSQL adds to some modifiers */
#define INTERVAL_ANY_PRECISION 0xffff

/* The scale has 11 bits and a sign since PostgreSQL 15, 16 bits before; both
 * read the same for what earlier versions allow. */
static void
write_numeric(int32_t typmod, struct sb *sb)
{
	const int32_t bits = typmod - HEADER, scale = ((bits & 0x7ff) ^ 1024) - 1024;

	sb_fmt(sb, "(%d, %d)", (bits >> 16) & 0xffff, scale);
}

/* The fields that it may have as a bit mask, then the precision. */
static void
write_interval(int32_t typmod, struct sb *sb)
{
	sb_fmt(sb, "(%d", (typmod >> 16) & 0x7fff);
	if ((typmod & 0xffff) != INTERVAL_ANY_PRECISION)
		sb_fmt(sb, ", %d", typmod & 0xffff);
	sb_char(sb, ')');
}

static bool
write_modifier(uint32_t type, int32_t typmod, struct sb *sb)
{
	switch (type) {
	case OID_BPCHAR:
	case OID_VARCHAR:
		sb_fmt(sb, "(%d)", typmod - HEADER);
		return true;
	case OID_TIME:
	case OID_TIMETZ:
	case OID_TIMESTAMP:
	case OID_TIMESTAMPTZ:
	case OID_BIT:
	case OID_VARBIT:
		sb_fmt(sb, "(%d)", typmod);
		return true;
	case OID_NUMERIC:
		write_numeric(typmod, sb);
		return true;
	case OID_INTERVAL:
		write_interval(typmod, sb);
		return true;
	default:
		return false;
	}
}

bool
type_write(const struct catalog *c, uint32_t oid, int32_t typmod, struct sb *sb)
{
	const struct cat_type *type = catalog_type_of(c, oid);
	const struct cat_type *element = type != NULL && type->element != 0 ? catalog_type_of(c, type->element) : NULL;

	if (type == NULL)
		return false;
	if (element != NULL && typmod >= 0)
		type = element;
	guard_name(sb, catalog_schema_name(c, type->namespace));
	sb_char(sb, '.');
	guard_name(sb, type->name);
	if (typmod >= 0 && !write_modifier(type->oid, typmod, sb))
		return false;
	if (element != NULL && type == element)
		sb_str(sb, "[]");
	return true;
}
