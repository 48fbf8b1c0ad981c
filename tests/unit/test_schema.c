/* tests/unit/test_schema.c - the JSON Schema knows what the loader knows, and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load.h"
#include "policy_tools.h"

static cJSON *
schema(void)
{
	struct sb sb = { 0 };
	cJSON *tree;

	policy_schema(&sb);
	assert_false(sb.bad);
	tree = cJSON_ParseWithLength(sb_text(&sb), sb.len);
	assert_non_null(tree);
	sb_free(&sb);
	return tree;
}

static const cJSON *
member(const cJSON *object, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

	if (v == NULL)
		fail_msg("no member \"%s\"", name);
	return v;
}

static const cJSON *
definition(const cJSON *root, const char *name)
{
	return member(member(root, "$defs"), name);
}

static void
assert_words(const struct field *f, const cJSON *values)
{
	const cJSON *value = member(values, "enum")->child;

	for (const struct word *w = f->words; w->word != NULL; w++) {
		if (w->value == WORD_LATER)
			continue;
		assert_non_null(value);
		assert_string_equal(value->valuestring, w->word);
		value = value->next;
	}
	assert_null(value);
}

/* The object of a list's entry: the entry itself, or one of two. */
static const cJSON *
entry_object(const cJSON *list)
{
	const cJSON *items = member(list, "items"), *choice = cJSON_GetObjectItemCaseSensitive(items, "anyOf");

	return choice != NULL ? cJSON_GetArrayItem(choice, 1) : items;
}

static void assert_object(const cJSON *root, const struct field *fields, const cJSON *object);

static void
assert_field(const cJSON *root, const struct field *f, const cJSON *v)
{
	assert_true(strlen(member(v, "title")->valuestring) > 1);
	assert_true(strlen(member(v, "description")->valuestring) > 10);
	if (f->type == FIELD_OBJECT || f->type == FIELD_LISTS)
		assert_object(root, f->fields, v);
	if (f->type == FIELD_WORD || f->type == FIELD_SWITCH)
		assert_words(f, v);
	if (f->type == FIELD_WORDS)
		assert_words(f, member(v, "items"));
	if (f->shape == SHAPE_MAP)
		assert_object(root, f->fields, definition(root, "profile"));
	if (f->shape == SHAPE_LIST && f->fields != NULL)
		assert_object(root, f->fields, entry_object(v));
}

/* As many members as rows, each with its row; nothing else may be there. */
static void
assert_object(const cJSON *root, const struct field *fields, const cJSON *object)
{
	const cJSON *properties = member(object, "properties"), *key;
	int n = 0, required = 0;

	assert_true(cJSON_IsFalse(member(object, "additionalProperties")));
	for (const struct field *f = fields; f->name != NULL; f++, n++) {
		assert_field(root, f, member(properties, f->name));
		if (!f->required)
			continue;
		required++;
		cJSON_ArrayForEach(key, member(object, "required")) if (strcmp(key->valuestring, f->name) == 0) break;
		assert_non_null(key);
	}
	assert_int_equal(cJSON_GetArraySize(properties), n);
	assert_int_equal(cJSON_GetArraySize(member(object, "required")), required);
}

static void
every_row_is_a_property(void **state)
{
	cJSON *root = schema();

	(void)state;
	assert_string_equal(member(root, "$schema")->valuestring, "https://json-schema.org/draft/2020-12/schema");
	assert_object(root, policy_fields, root);
	cJSON_Delete(root);
}

static void
assert_references(const cJSON *root, const cJSON *v)
{
	const cJSON *item;

	if (v->string != NULL && strcmp(v->string, "$ref") == 0) {
		assert_int_equal(strncmp(v->valuestring, "#/$defs/", 8), 0);
		definition(root, v->valuestring + 8);
	}
	cJSON_ArrayForEach(item, v) assert_references(root, item);
}

static void
references_lead_somewhere(void **state)
{
	cJSON *root = schema();

	(void)state;
	assert_references(root, root);
	cJSON_Delete(root);
}

static void
every_rule_has_a_hint(void **state)
{
	cJSON *root = schema();
	const cJSON *hints = member(definition(root, "hints"), "properties");

	(void)state;
	for (int rule = RULE_NONE + 1; rule <= RULE_PROTOCOL; rule++)
		member(hints, rule_name((enum rule)rule));
	assert_int_equal(cJSON_GetArraySize(hints), RULE_PROTOCOL);
	cJSON_Delete(root);
}

/* The default of a key is what its absence means: a file that says it changes nothing. */
static void
defaults_are_the_loader_s(void **state)
{
	cJSON *root = schema();
	const cJSON *profile = member(definition(root, "profile"), "properties");
	const cJSON *limits = member(member(profile, "limits"), "properties");

	(void)state;
	assert_string_equal(member(member(profile, "access_mode"), "default")->valuestring, "read_only");
	assert_string_equal(member(member(profile, "multi_statement"), "default")->valuestring, "handshake");
	assert_int_equal(member(member(limits, "max_rows"), "default")->valuedouble, 1000);
	assert_int_equal(member(member(limits, "statement_timeout"), "default")->valuedouble, 5000);
	assert_null(cJSON_GetObjectItemCaseSensitive(member(limits, "burst"), "default"));
	cJSON_Delete(root);
}

/* What policy show prints of a key; only the secret has no writer. */
static void
assert_writers(const struct field *fields)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->type == FIELD_OBJECT || f->type == FIELD_LISTS)
			assert_writers(f->fields);
		if (f->type == FIELD_CUSTOM && (f->write == NULL) != (strcmp(f->name, "mask_key") == 0))
			fail_msg("%s", f->name);
	}
}

static void
every_list_can_be_shown(void **state)
{
	(void)state;
	assert_writers(profile_fields);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "every row of the loader's tables is a property, and nothing else is", every_row_is_a_property, NULL, NULL,
		    NULL },
		{ "references lead somewhere", references_lead_somewhere, NULL, NULL, NULL },
		{ "every rule has a hint", every_rule_has_a_hint, NULL, NULL, NULL },
		{ "defaults are the loader's", defaults_are_the_loader_s, NULL, NULL, NULL },
		{ "every list can be shown, but not the mask key", every_list_can_be_shown, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
