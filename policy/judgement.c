/* policy/judgement.c - policy_judge(): parse, walk, decide, rewrite, remember. */
#include "judgement.h"
#include "lexcost.h"
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>

/* --- life ----------------------------------------------------------------- */

/* One block holds the struct, the text and the name of the profile. */
static struct judgement *
judgement_new(const struct policy *policy, const struct profile *p, const char *text, size_t len)
{
	const size_t name_len = strlen(p->name);
	struct judgement *j = xmalloc(sizeof(*j) + len + 1 + name_len + 1);
	char *strings = (char *)(j + 1);

	*j = (struct judgement){ .refs = 1, .text = strings, .text_len = len, .profile = strings + len + 1 };
	memcpy(strings, text, len);
	strings[len] = '\0';
	memcpy(strings + len + 1, p->name, name_len + 1);
	j->generation = policy_generation(policy);
	return j;
}

struct judgement *
judgement_ref(struct judgement *j)
{
	j->refs++;
	return j;
}

void
judgement_unref(struct judgement *j)
{
	if (j == NULL || --j->refs > 0)
		return;
	judgement_empty(j);
	free(j->message);
	free(j->detail);
	free(j->hint);
	free(j->rewritten);
	free(j->splices);
	free(j->notice);
	free(j);
}

/* --- positions ------------------------------------------------------------ */

int
judgement_characters(const char *text, size_t bytes)
{
	int n = 0;

	for (size_t i = 0; i < bytes; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			n++;
	return n;
}

/* The byte at which the n-th character begins. */
static size_t
byte_of(const char *text, size_t len, int position)
{
	size_t i = 0;

	for (int n = 1; i < len; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80 && n++ == position)
			break;
	return i;
}

int
judgement_position(const struct judgement *j, int position)
{
	size_t at, grown = 0, from;

	if (j->rewritten == NULL || position < 1)
		return position;
	at = byte_of(j->rewritten, j->rewritten_len, position);
	for (size_t i = 0; i < j->nsplices; i++) {
		const struct splice *s = &j->splices[i];

		from = s->at + grown; /* of what was added, in the rewritten text; grown may have wrapped, and wraps back */
		if (at < from)
			break;
		if (at < from + s->added)
			return judgement_characters(j->text, s->at) + 1;
		grown += s->added - s->removed;
	}
	return judgement_characters(j->text, at - grown) + 1;
}

/* --- judging -------------------------------------------------------------- */

static void
block(struct judgement *j, const struct policy *policy, const struct profile *p, struct refusal *r)
{
	struct sb sb = { 0 };
	const char *hint = profile_hint(p, r->rule);

	j->verdict = VERDICT_BLOCK;
	j->rule = r->rule;
	memcpy(j->sqlstate, r->sqlstate, sizeof(j->sqlstate));
	j->message = r->message;
	r->message = NULL;
	sb_fmt(&sb, "rule %s, profile %s (%s)", rule_name(r->rule), p->name, policy_source(policy));
	j->detail = sb_take(&sb);
	j->hint = hint != NULL ? xstrdup(hint) : NULL;
	j->position = r->position;
	if (r->position == 0 && r->location >= 0 && (size_t)r->location <= j->text_len)
		j->position = judgement_characters(j->text, (size_t)r->location) + 1;
}

static bool
check_text(const struct judgement *j, const struct profile *p, struct refusal *r)
{
	const int64_t max = p->limits.max_query_bytes;

	if (j->text_len >= PARSE_BYTES_MAX || (max > 0 && j->text_len > (uint64_t)max))
		return refuse(r, RULE_TOO_LONG, -1, "a statement of %zu bytes refused: it is longer than %lld bytes", j->text_len,
		    (long long)(max > 0 && (size_t)max < PARSE_BYTES_MAX ? max : (int64_t)PARSE_BYTES_MAX));
	if (!utf8_valid(j->text, j->text_len))
		return refuse(r, RULE_ENCODING, -1, "the statement is not valid UTF-8");
	if (!lexcost_fine(j->text, j->text_len))
		return refuse(
		    r, RULE_TOO_DEEP, -1, "the statement refused: its runs of operator characters are too long to be read");
	return true;
}

static void
keep_rewrite(struct judgement *j, struct rewrite *w, char *text, size_t len)
{
	j->verdict = VERDICT_REWRITE;
	j->rewritten = text;
	j->rewritten_len = len;
	j->splices = w->splices;
	j->nsplices = w->n;
	w->splices = NULL;
	j->notice = w->notice != NULL ? xstrdup(w->notice) : NULL;
}

/* True when the new text says what the old one said. */
static bool
verify(
    struct parser *parser, const struct rewrite *w, const char *text, size_t len, const struct facts *was, const struct profile *p)
{
	struct tree tree;
	struct facts now;
	bool holds = false;

	facts_init(&now);
	if (parser_parse(parser, text, &tree)) {
		facts_collect(&now, &tree, text, len, p);
		holds = rewrite_holds(w, &tree, was, &now);
	}
	facts_release(&now);
	tree_release(&tree);
	return holds;
}

static bool
rewrite(struct judgement *j, struct parser *parser, const struct tree *tree, struct facts *f, const struct profile *p,
    struct refusal *r)
{
	struct rewrite w;
	size_t len = 0;
	char *text = NULL;
	bool fine = true;

	rewrite_plan(&w, tree, f, p, j->text);
	if (w.n == 0)
		goto out;
	text = rewrite_apply(&w, j->text, j->text_len, &len);
	if (text != NULL && (w.settled || verify(parser, &w, text, len, f, p))) {
		keep_rewrite(j, &w, text, len);
		text = NULL;
		goto out;
	}
	/* The count of rows on the stream remains; READ WRITE has no such guard. */
	for (size_t i = 0; i < f->nstatements; i++)
		f->statements[i].is.limited = false;
	if (w.required > 0)
		fine = refuse(r, RULE_READ_ONLY, f->statements[0].location, "READ WRITE refused: this connection is read-only");
out:
	free(text);
	rewrite_release(&w);
	return fine;
}

static bool
judge(struct judgement *j, const struct profile *p, unsigned flags, struct parser *parser, struct refusal *r)
{
	struct tree tree;
	struct facts facts;
	bool fine;

	if (!parser_parse(parser, j->text, &tree)) {
		refuse(r, RULE_PARSE_ERROR, -1, "%s", tree.error);
		r->position = tree.position;
		tree_release(&tree);
		return false;
	}
	facts_init(&facts);
	facts_collect(&facts, &tree, j->text, j->text_len, p);
	fine = decide(p, &facts, flags, r);
	if (fine && facts.n > 0)
		fine = rewrite(j, parser, &tree, &facts, p, r);
	judgement_fill(j, &facts, p);
	facts_release(&facts);
	tree_release(&tree);
	return fine;
}

struct judgement *
policy_judge(const struct policy *policy, const struct profile *p, const char *text, size_t len, unsigned flags)
{
	struct judgement *j = judgement_new(policy, p, text, len);
	struct refusal r = { 0 };
	struct parser parser;
	bool fine = check_text(j, p, &r);

	if (fine) {
		parser_open(&parser);
		fine = judge(j, p, flags, &parser, &r);
		parser_close(&parser);
	}
	if (!fine)
		block(j, policy, p, &r);
	refusal_release(&r);
	return j;
}
