/* policy/show.c - the rules that hold under a profile, with every absent key filled in.
 *
 * Walks the loader's tables, so that a key cannot be forgotten. The mask key
 * has no way out of here: its row has no writer, and pinned settings of our
 * own are left out.
 */
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "policy_tools.h"
#include "settings.h"

static void
put_string(struct sb *sb, const char *text)
{
	sb_json(sb, text, strlen(text));
}

/* --- values ---------------------------------------------------------------- */

struct unit {
	const char *name;
	int64_t factor;
};

/* In the largest unit that leaves no fraction. */
static void
put_amount(struct sb *sb, int64_t amount, const struct unit *units)
{
	while (units->factor > 1 && (amount == 0 || amount % units->factor != 0))
		units++;
	sb_fmt(sb, "%lld%s", (long long)(amount / units->factor), units->name);
}

static void
put_size(struct sb *sb, int64_t bytes)
{
	static const struct unit units[] = { { "GB", 1 << 30 }, { "MB", 1 << 20 }, { "kB", 1 << 10 }, { "B", 1 } };

	put_amount(sb, bytes, units);
}

static void
put_time(struct sb *sb, int64_t ms)
{
	static const struct unit units[] = { { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 } };

	put_amount(sb, ms, units);
}

static const char *
word_of(const struct word *words, int value)
{
	while (words->word != NULL && words->value != value)
		words++;
	return words->word != NULL ? words->word : "?";
}

static void
put_words(struct sb *sb, const struct word *words, uint32_t bits)
{
	const char *comma = "";

	sb_char(sb, '[');
	for (; words->word != NULL; words++) {
		if (words->value == WORD_LATER || (bits >> words->value & 1) == 0)
			continue;
		sb_fmt(sb, "%s\"%s\"", comma, words->word);
		comma = ",";
	}
	sb_char(sb, ']');
}

/* One value as JSON that loads again; nothing when it is as if the key were absent. */
static void
put_value(struct sb *sb, const struct field *f, const void *base)
{
	const void *at = (const char *)base + f->offset;

	switch (f->type) {
	case FIELD_INT:
		if (*(const int64_t *)at >= f->min)
			sb_fmt(sb, "%lld", (long long)*(const int64_t *)at);
		break;
	case FIELD_NUMBER:
		sb_fmt(sb, "%.17g", *(const double *)at);
		break;
	case FIELD_SIZE:
	case FIELD_TIME:
		sb_char(sb, '"');
		(f->type == FIELD_SIZE ? put_size : put_time)(sb, *(const int64_t *)at);
		sb_char(sb, '"');
		break;
	case FIELD_BOOL:
		sb_str(sb, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_WORD:
		put_string(sb, word_of(f->words, *(const int *)at));
		break;
	case FIELD_SWITCH:
		put_string(sb, word_of(f->words, *(const bool *)at));
		break;
	case FIELD_WORDS:
		put_words(sb, f->words, *(const uint32_t *)at);
		break;
	case FIELD_CUSTOM:
		if (f->write != NULL)
			f->write(sb, base);
		break;
	case FIELD_STRING:
	case FIELD_OBJECT:
	case FIELD_LISTS:
		break; /* no value of a profile */
	}
}

/* --- as JSON ------------------------------------------------------------------ */

static void
put_rules(struct sb *sb, const struct field *fields, const void *base)
{
	const char *comma = "";
	struct sb value = { 0 };

	sb_char(sb, '{');
	for (const struct field *f = fields; f->name != NULL; f++) {
		sb_clear(&value);
		if (f->type == FIELD_OBJECT || f->type == FIELD_LISTS)
			put_rules(&value, f->fields, base);
		else
			put_value(&value, f, base);
		if (value.len == 0)
			continue;
		sb_fmt(sb, "%s\"%s\":%s", comma, f->name, sb_text(&value));
		comma = ",";
	}
	sb_char(sb, '}');
	sb_free(&value);
}

struct settings {
	struct sb *out;
	bool json, first;
};

static void
put_setting(void *arg, const char *name, const char *value)
{
	struct settings *s = arg;

	if (setting_reserved(name)) /* the mask key */
		return;
	if (s->json) {
		sb_str(s->out, s->first ? "" : ",");
		put_string(s->out, name);
		sb_char(s->out, ':');
		put_string(s->out, value);
	} else {
		sb_fmt(s->out, "  %s = ", name);
		put_string(s->out, value);
		sb_char(s->out, '\n');
	}
	s->first = false;
}

/* Nobody when the default profile was taken: SIZE_MAX. */
static size_t
matching_assignment(const struct policy *p, const struct principal *who)
{
	for (size_t i = 0; i < p->nassignments; i++) {
		const struct assignment *a = &p->assignments[i];

		if ((a->user == NULL || glob_match(a->user, who->user)) &&
		    (a->database == NULL || glob_match(a->database, who->database)) &&
		    (a->application_name == NULL || glob_match(a->application_name, who->application_name)) &&
		    network_holds(&a->client, who->client))
			return i;
	}
	return SIZE_MAX;
}

static const char *
mode_name(enum policy_mode mode)
{
	switch (mode) {
	case MODE_OFF:
		return "off";
	case MODE_OBSERVE:
		return "observe";
	case MODE_ENFORCE:
		break;
	}
	return "enforce";
}

static void
show_json(const struct policy *p, const struct profile *profile, const struct principal *who, struct sb *out)
{
	struct settings pinned = { out, true, true }, session = { out, true, true };
	size_t i = who != NULL ? matching_assignment(p, who) : SIZE_MAX;

	sb_str(out, "{\"policy\":");
	put_string(out, p->source);
	sb_str(out, ",\"profile\":");
	put_string(out, profile->name);
	sb_fmt(out, ",\"mode\":\"%s\"", mode_name(profile->mode));
	if (i != SIZE_MAX)
		sb_fmt(out, ",\"assignment\":%zu", i);
	else
		sb_str(out, ",\"assignment\":null");
	sb_fmt(out, ",\"mask_key\":%s,\"rules\":", profile->mask_key != NULL ? "true" : "false");
	put_rules(out, profile_fields, profile);
	sb_str(out, ",\"pinned\":{");
	profile_pinned(profile, put_setting, &pinned);
	sb_char(out, '}');
	if (who != NULL) {
		sb_str(out, ",\"session\":{");
		profile_session(profile, who, put_setting, &session);
		sb_char(out, '}');
	}
	sb_str(out, "}\n");
}

/* --- as text -------------------------------------------------------------------- */

#define KEY_WIDTH 36

/* "public.users.ssn: action mask, mask null": the first member names the rest. */
static void
put_entry(struct sb *sb, const cJSON *entry)
{
	const cJSON *member;

	if (cJSON_IsString(entry)) {
		sb_str(sb, entry->valuestring);
		return;
	}
	cJSON_ArrayForEach(member, entry)
	{
		if (member == entry->child)
			sb_fmt(sb, "%s:", member->valuestring);
		else
			sb_fmt(sb, "%s %s %s", member == entry->child->next ? "" : ",", member->string, member->valuestring);
	}
}

static void
put_line(struct sb *out, const char *key, const char *value)
{
	sb_fmt(out, "%-*s ", KEY_WIDTH, key);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			sb_fmt(out, "\n%*s ", KEY_WIDTH, "");
		else if ((unsigned char)*value < 0x20 || *value == 0x7f)
			sb_fmt(out, "\\x%02x", (unsigned char)*value);
		else
			sb_char(out, *value);
	}
	sb_char(out, '\n');
}

/* Names beside each other, entries with members one a line. */
static void
put_list(struct sb *out, const char *key, const cJSON *list)
{
	const cJSON *item;
	struct sb value = { 0 };

	cJSON_ArrayForEach(item, list)
	{
		bool beside = item->string == NULL && cJSON_IsString(item);

		if (item != list->child)
			sb_str(&value, beside ? ", " : "\n");
		if (item->string != NULL)
			sb_fmt(&value, "%s: ", item->string);
		put_entry(&value, item);
	}
	put_line(out, key, cJSON_GetArraySize(list) > 0 ? sb_text(&value) : "none");
	sb_free(&value);
}

/* What an absent list means. */
static const char *
absent(const char *key)
{
	static const struct {
		const char *key, *means;
	} lists[] = {
		{ "schemas.allow", "any" },
		{ "tables.allow", "any" },
		{ "functions.allow", "built-in functions without effects" },
		{ "settings.allow", "harmless ones" },
		{ "writes.max_affected_rows", "no limit" },
	};

	for (size_t i = 0; i < nitems(lists); i++)
		if (strcmp(lists[i].key, key) == 0)
			return lists[i].means;
	return NULL;
}

static bool
is_no_limit(const struct field *f, const char *key, const void *base)
{
	const void *at = (const char *)base + f->offset;

	if (strncmp(key, "limits.", 7) != 0)
		return false;
	switch (f->type) {
	case FIELD_INT:
		return *(const int64_t *)at == 0 && f->min == 0;
	case FIELD_SIZE:
	case FIELD_TIME:
		return *(const int64_t *)at == 0;
	case FIELD_NUMBER:
		return !(*(const double *)at > 0);
	default:
		return false;
	}
}

static void
show_value(struct sb *out, const struct field *f, const char *key, const void *base)
{
	struct sb value = { 0 };
	cJSON *tree = NULL;

	put_value(&value, f, base);
	if (value.len > 0)
		tree = cJSON_ParseWithLength(sb_text(&value), value.len);
	if (is_no_limit(f, key, base))
		put_line(out, key, "no limit");
	else if (cJSON_IsArray(tree) || cJSON_IsObject(tree))
		put_list(out, key, tree);
	else if (tree != NULL)
		put_line(out, key, cJSON_IsString(tree) ? tree->valuestring : sb_text(&value));
	else if (absent(key) != NULL)
		put_line(out, key, absent(key));
	cJSON_Delete(tree);
	sb_free(&value);
}

static void
show_fields(struct sb *out, const struct field *fields, const char *above, const void *base)
{
	struct sb key = { 0 };

	for (const struct field *f = fields; f->name != NULL; f++) {
		sb_clear(&key);
		sb_fmt(&key, "%s%s%s", above, *above != '\0' ? "." : "", f->name);
		if (f->type == FIELD_OBJECT || f->type == FIELD_LISTS)
			show_fields(out, f->fields, sb_text(&key), base);
		else
			show_value(out, f, sb_text(&key), base);
	}
	sb_free(&key);
}

static void
show_text(const struct policy *p, const struct profile *profile, const struct principal *who, struct sb *out)
{
	struct settings pinned = { out, false, true }, session = { out, false, true };
	size_t i = who != NULL ? matching_assignment(p, who) : SIZE_MAX;

	sb_fmt(out, "profile %s of %s", profile->name, p->source);
	if (i != SIZE_MAX)
		sb_fmt(out, ", by assign[%zu]", i);
	else if (who != NULL)
		sb_str(out, ", by default");
	sb_str(out, "\n\n");
	put_line(out, "mode", mode_name(profile->mode));
	show_fields(out, profile_fields, "", profile);
	if (profile->mask_key != NULL)
		put_line(out, "mask_key", "is set");
	sb_str(out, "\nconnections start with\n");
	profile_pinned(profile, put_setting, &pinned);
	if (who != NULL)
		profile_session(profile, who, put_setting, &session);
}

void
policy_show(const struct policy *p, const struct profile *profile, const struct principal *who, bool json, struct sb *out)
{
	(json ? show_json : show_text)(p, profile, who, out);
}
