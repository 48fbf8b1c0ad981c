/* policy/schema.c - the JSON Schema of the policy file, from the tables that the loader reads it by. */
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "policy_tools.h"

/* A part of a name as patterns.c reads it, with and without globs. */
#define PLAIN "([A-Za-z0-9_$]|[^\\x00-\\x7f])+"
#define QUOTED "\"([^\"*?]|\"\")+\""
#define PART "(([A-Za-z0-9_$*?]|[^\\x00-\\x7f])+|" QUOTED ")"
#define WORD "[A-Za-z_][A-Za-z0-9_$]*"

/* Texts that the tables name. */
static const struct text {
	const char *name, *title, *pattern;
	int min, max; /* characters; max 0: any number */
} texts[] = {
	{ "text", "text", NULL, 0, 0 },
	{ "glob", "a name, with * and ?", NULL, 1, 0 },
	{ "client", "an address, a network such as 10.0.0.0/8, \"unix\" or \"*\"", NULL, 1, 0 },
	{ "profile_name", "the name of a profile", "^[A-Za-z0-9_.-]{1,63}$", 1, 63 },
	{ "identifier", "a name; in double quotes when it is not lower case", "^(" PLAIN "|" QUOTED ")$", 1, 0 },
	{ "schema_pattern", "schema, with * and ?", "^" PART "$", 1, 0 },
	{ "table_pattern", "[schema.]table, with * and ?", "^(" PART "\\.)?" PART "$", 1, 0 },
	{ "column_pattern", "schema.table.column, with * and ?", "^" PART "\\." PART "\\." PART "$", 1, 0 },
	{ "function_pattern", "[schema.]function[(types)], with * and ?, or extension:name",
	    "^(extension:.+|(" PART "\\.)?" PART "(\\(.*\\))?)$", 1, 0 },
	{ "setting", "the name of a setting", "^[A-Za-z0-9_$.]+$", 1, 63 },
	{ "key", "a secret", NULL, 16, 512 },
	{ "hint", "a text for the client", NULL, 1, 1000 },
	{ "variables", "a text with ${user}, ${database}, ${application_name}, ${client}, ${profile}; $$ is a dollar sign",
	    "^([^$]|\\$\\$|\\$\\{(user|database|application_name|client|profile)\\})*$", 0, 1000 },
	{ "session_name", "the name of a setting, with a dot", "^(?![Pp][Gg][Mm][Oo][Aa][Tt]\\.)" WORD "(\\." WORD ")+$", 3, 63 },
};

static void put_object(struct sb *, const struct field *, const char *extra, const void *defaults);

static void
put_text(struct sb *sb, const char *text)
{
	sb_json(sb, text, strlen(text));
}

static void
put_reference(struct sb *sb, const char *name)
{
	sb_fmt(sb, "{\"$ref\":\"#/$defs/%s\"}", name);
}

static void
put_title(struct sb *sb, const char *name)
{
	sb_str(sb, "\"title\":\"");
	for (; *name != '\0'; name++)
		sb_char(sb, *name == '_' ? ' ' : *name);
	sb_char(sb, '"');
}

static void
put_enum(struct sb *sb, const struct word *words)
{
	bool first = true;

	sb_str(sb, "\"enum\":[");
	for (; words->word != NULL; words++) {
		if (words->value == WORD_LATER)
			continue;
		sb_fmt(sb, "%s\"%s\"", first ? "" : ",", words->word);
		first = false;
	}
	sb_char(sb, ']');
}

/* --- values -------------------------------------------------------------------- */

static void
put_integer(struct sb *sb, const struct field *f)
{
	if (f->min == f->max)
		sb_fmt(sb, ",\"const\":%lld", (long long)f->min);
	else
		sb_fmt(sb, ",\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld", (long long)f->min, (long long)f->max);
}

/* A number, or a text with a unit. */
static void
put_amount(struct sb *sb, const struct field *f)
{
	sb_fmt(sb,
	    ",\"anyOf\":[{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld},"
	    "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,15}(%s)$\"}]",
	    (long long)f->min, (long long)f->max, f->type == FIELD_TIME ? "ms|s|min|h" : "B|kB|MB|GB");
}

static void
put_element_object(struct sb *sb, const struct field *f)
{
	sb_char(sb, '{');
	put_object(sb, f->fields, f->extra, NULL);
	sb_char(sb, '}');
}

/* As members: what one value, or one entry of a list, must be. */
static void
put_element(struct sb *sb, const struct field *f)
{
	if (f->fields == NULL) {
		sb_fmt(sb, "\"$ref\":\"#/$defs/%s\"", f->schema);
	} else if (f->schema == NULL) {
		put_object(sb, f->fields, f->extra, NULL);
	} else {
		sb_str(sb, "\"anyOf\":[");
		put_reference(sb, f->schema);
		sb_char(sb, ',');
		put_element_object(sb, f);
		sb_char(sb, ']');
	}
}

static void
put_custom(struct sb *sb, const struct field *f)
{
	switch (f->shape) {
	case SHAPE_VALUE:
		sb_char(sb, ',');
		put_element(sb, f);
		break;
	case SHAPE_LIST:
		sb_str(sb, ",\"type\":\"array\",\"maxItems\":10000,\"items\":{");
		put_element(sb, f);
		sb_char(sb, '}');
		break;
	case SHAPE_MAP:
		sb_str(sb, ",\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1000,\"propertyNames\":");
		put_reference(sb, f->schema);
		sb_str(sb, ",\"additionalProperties\":{\"$ref\":\"#/$defs/profile\"}");
		break;
	}
}

/* --- defaults --------------------------------------------------------------------- */

static const char *
word_of(const struct word *words, int value)
{
	for (; words->word != NULL; words++)
		if (words->value == value)
			return words->word;
	return NULL;
}

static void
put_default_words(struct sb *sb, const struct word *words, uint32_t bits)
{
	const char *comma = "";

	sb_str(sb, ",\"default\":[");
	for (; words->word != NULL; words++) {
		if ((bits >> words->value & 1) == 0)
			continue;
		sb_fmt(sb, "%s\"%s\"", comma, words->word);
		comma = ",";
	}
	sb_char(sb, ']');
}

/* What an absent key means, where it is one value. */
static void
put_default(struct sb *sb, const struct field *f, const void *base)
{
	const void *at = (const char *)base + f->offset;

	switch (f->type) {
	case FIELD_INT:
	case FIELD_SIZE:
	case FIELD_TIME:
		if (*(const int64_t *)at >= f->min)
			sb_fmt(sb, ",\"default\":%lld", (long long)*(const int64_t *)at);
		break;
	case FIELD_NUMBER:
		sb_fmt(sb, ",\"default\":%.15g", *(const double *)at);
		break;
	case FIELD_BOOL:
		sb_fmt(sb, ",\"default\":%s", *(const bool *)at ? "true" : "false");
		break;
	case FIELD_WORD:
		sb_fmt(sb, ",\"default\":\"%s\"", word_of(f->words, *(const int *)at));
		break;
	case FIELD_SWITCH:
		sb_fmt(sb, ",\"default\":\"%s\"", word_of(f->words, *(const bool *)at));
		break;
	case FIELD_WORDS:
		put_default_words(sb, f->words, *(const uint32_t *)at);
		break;
	case FIELD_STRING:
	case FIELD_OBJECT:
	case FIELD_LISTS:
	case FIELD_CUSTOM:
		break;
	}
}

/* --- objects ------------------------------------------------------------------------ */

static void
put_field(struct sb *sb, const struct field *f, const void *defaults)
{
	sb_char(sb, '{');
	put_title(sb, f->name);
	sb_str(sb, ",\"description\":");
	put_text(sb, f->doc);
	switch (f->type) {
	case FIELD_INT:
		put_integer(sb, f);
		break;
	case FIELD_NUMBER:
		sb_fmt(sb, ",\"type\":%s,\"minimum\":%lld,\"maximum\":%lld", f->null_ok ? "[\"number\",\"null\"]" : "\"number\"",
		    (long long)f->min, (long long)f->max);
		break;
	case FIELD_SIZE:
	case FIELD_TIME:
		put_amount(sb, f);
		break;
	case FIELD_BOOL:
		sb_str(sb, ",\"type\":\"boolean\"");
		break;
	case FIELD_WORD:
	case FIELD_SWITCH:
		sb_char(sb, ',');
		put_enum(sb, f->words);
		break;
	case FIELD_WORDS:
		sb_str(sb, ",\"type\":\"array\",\"items\":{");
		put_enum(sb, f->words);
		sb_char(sb, '}');
		break;
	case FIELD_STRING:
		if (f->schema != NULL)
			sb_fmt(sb, ",\"$ref\":\"#/$defs/%s\"", f->schema);
		else
			sb_str(sb, ",\"type\":\"string\",\"minLength\":1");
		break;
	case FIELD_OBJECT:
	case FIELD_LISTS:
		sb_char(sb, ',');
		put_object(sb, f->fields, f->extra, defaults);
		break;
	case FIELD_CUSTOM:
		put_custom(sb, f);
		break;
	}
	if (defaults != NULL)
		put_default(sb, f, defaults);
	sb_char(sb, '}');
}

/* The members of an object's schema, without its braces. */
static void
put_object(struct sb *sb, const struct field *fields, const char *extra, const void *defaults)
{
	const char *comma = "";

	sb_str(sb, "\"type\":\"object\",\"properties\":{");
	for (const struct field *f = fields; f->name != NULL; f++) {
		sb_fmt(sb, "%s\"%s\":", f != fields ? "," : "", f->name);
		put_field(sb, f, defaults);
	}
	sb_str(sb, "},\"required\":[");
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (!f->required)
			continue;
		sb_fmt(sb, "%s\"%s\"", comma, f->name);
		comma = ",";
	}
	sb_str(sb, "],\"additionalProperties\":false");
	if (extra != NULL)
		sb_fmt(sb, ",%s", extra);
}

/* --- definitions ----------------------------------------------------------------------- */

static void
put_texts(struct sb *sb)
{
	for (size_t i = 0; i < nitems(texts); i++) {
		sb_fmt(sb, "%s\"%s\":{\"title\":", i > 0 ? "," : "", texts[i].name);
		put_text(sb, texts[i].title);
		sb_fmt(sb, ",\"type\":\"string\",\"minLength\":%d", texts[i].min);
		if (texts[i].max != 0)
			sb_fmt(sb, ",\"maxLength\":%d", texts[i].max);
		if (texts[i].pattern != NULL) {
			sb_str(sb, ",\"pattern\":");
			put_text(sb, texts[i].pattern);
		}
		sb_char(sb, '}');
	}
}

static void
put_hints(struct sb *sb)
{
	sb_str(sb, ",\"hints\":{\"title\":\"a text for each rule\",\"type\":\"object\",\"properties\":{");
	for (int rule = RULE_NONE + 1; rule <= RULE_PROTOCOL; rule++) {
		sb_fmt(sb, "%s\"%s\":", rule > RULE_NONE + 1 ? "," : "", rule_name((enum rule)rule));
		put_reference(sb, "hint");
	}
	sb_str(sb, "},\"additionalProperties\":false}");
}

static void
put_definitions(struct sb *sb)
{
	struct profile defaults;
	const struct field *profiles = policy_fields;

	while (profiles->fields != profile_fields)
		profiles++;
	put_texts(sb);
	put_hints(sb);
	sb_str(sb,
	    ",\"session\":{\"title\":\"settings and their values\",\"type\":\"object\",\"maxProperties\":100,\"propertyNames\":");
	put_reference(sb, "session_name");
	sb_str(sb, ",\"additionalProperties\":");
	put_reference(sb, "variables");
	sb_str(sb, "},\"profile\":{\"title\":\"a set of rules\",");
	profile_defaults(&defaults);
	put_object(sb, profile_fields, profiles->extra, &defaults);
	profile_clear(&defaults);
	sb_char(sb, '}');
}

void
policy_schema(struct sb *out)
{
	struct sb sb = { 0 };
	cJSON *tree;
	char *text;

	sb_str(&sb, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"pgmoat policy\","
		    "\"description\":\"Who may do what to a PostgreSQL database through pgmoat. Comments and trailing commas are "
		    "allowed in the file.\",");
	put_object(&sb, policy_fields, NULL, NULL);
	sb_str(&sb, ",\"$defs\":{");
	put_definitions(&sb);
	sb_str(&sb, "}}");
	tree = cJSON_ParseWithLength(sb_text(&sb), sb.len); /* for its indentation */
	text = tree != NULL ? cJSON_Print(tree) : NULL;
	sb_str(out, text != NULL ? text : sb_text(&sb));
	sb_char(out, '\n');
	cJSON_free(text);
	cJSON_Delete(tree);
	sb_free(&sb);
}
