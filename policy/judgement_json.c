/* policy/judgement_json.c - a judgement as the audit trail and `check` print it. */
#include "judgement.h"

#include <string.h>

static void
json_text(struct sb *sb, const char *s)
{
	sb_json(sb, s, strlen(s));
}

static void
json_member(struct sb *sb, const char *key, const char *s)
{
	sb_fmt(sb, ",\"%s\":", key);
	if (s != NULL)
		json_text(sb, s);
	else
		sb_str(sb, "null");
}

static void
json_kinds(struct sb *sb, const struct judgement *j)
{
	sb_str(sb, ",\"kinds\":[");
	for (size_t i = 0; i < j->nstatements; i++) {
		if (i > 0)
			sb_char(sb, ',');
		json_text(sb, kind_name(j->statements[i].kind));
	}
	sb_char(sb, ']');
}

static const char *
access_name(unsigned access)
{
	if (access == (ACCESS_READ | ACCESS_WRITE))
		return "read_write";
	return access == ACCESS_WRITE ? "write" : "read";
}

static void
json_relations(struct sb *sb, const struct judgement *j)
{
	sb_str(sb, ",\"relations\":[");
	for (size_t i = 0; i < j->nrelations; i++) {
		sb_str(sb, i > 0 ? ",{\"schema\":" : "{\"schema\":");
		json_text(sb, j->relations[i].schema);
		json_member(sb, "name", j->relations[i].name);
		json_member(sb, "access", access_name(j->relations[i].access));
		sb_char(sb, '}');
	}
	sb_char(sb, ']');
}

static void
json_strings(struct sb *sb, const char *key, char *const *strings, size_t n)
{
	sb_fmt(sb, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sb_char(sb, ',');
		json_text(sb, strings[i]);
	}
	sb_char(sb, ']');
}

void
judgement_json(const struct judgement *j, struct sb *sb, bool with_text)
{
	sb_fmt(sb, "\"verdict\":\"%s\",\"rule\":\"%s\"", verdict_name(j->verdict), rule_name(j->rule));
	json_member(sb, "reason", j->message);
	json_member(sb, "hint", j->hint);
	if (j->position > 0)
		sb_fmt(sb, ",\"position\":%d", j->position);
	json_kinds(sb, j);
	json_relations(sb, j);
	json_strings(sb, "functions", j->functions, j->nfunctions);
	json_strings(sb, "settings", j->settings, j->nsettings);
	json_strings(sb, "reached", j->reached, j->nreached);
	if (with_text) {
		sb_str(sb, ",\"text\":");
		sb_json(sb, j->text, j->text_len);
		if (j->rewritten != NULL) {
			sb_str(sb, ",\"rewritten\":");
			sb_json(sb, j->rewritten, j->rewritten_len);
		}
	} else {
		sb_str(sb, ",\"text\":\"redacted\"");
	}
}
