/* policy/judgement.c - policy_judge(): parse, walk, decide, rewrite, remember. */
#include "analyze.h"
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
	sb_fmt(&sb, "rule %s, profile %s (%s)", rule_name(r->rule), p->name, policy_title(policy));
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

/* One text on its way to a verdict. */
struct judging {
	struct judgement *j;
	const struct profile *profile;
	struct rights *rights; /* NULL: without a catalog, only names are known */
	unsigned flags;
	const uint32_t *types; /* of the parameters */
	size_t ntypes;
	struct parser parser;
	struct tree tree;
	struct facts facts;
	struct analysis analysis;
	struct refusal refusal;
};

/* --- rewriting ------------------------------------------------------------- */

/* Is every guarded relation of the new text one that we put there? */
static bool
is_covered(struct judging *g, const struct rewrite *w, const struct tree *tree, const char *text)
{
	struct text_range *ours = xcalloc(w->n, sizeof(*ours));
	struct analysis again = { 0 };
	struct refusal ignored = { 0 };
	size_t grown = 0; /* may have wrapped, and wraps back */
	bool covered;

	for (size_t i = 0; i < w->n; i++) {
		const struct splice *s = &w->splices[i];

		ours[i] = (struct text_range){ .from = (int)(s->at + grown), .to = (int)(s->at + grown + s->added) };
		grown += s->added - s->removed;
	}
	covered = analyze_rewritten(&again, g->rights, tree, text, g->types, g->ntypes, ours, w->n, &ignored) && again.nsites == 0;
	analysis_release(&again);
	refusal_release(&ignored);
	free(ours);
	return covered;
}

/* True when the new text says what the old one said. */
static bool
verify(struct judging *g, const struct rewrite *w, const char *text, size_t len, bool substituted)
{
	struct tree tree;
	struct facts now;
	bool holds = false;

	facts_init(&now);
	if (parser_parse(&g->parser, text, &tree)) {
		facts_collect(&now, &tree, text, len, g->profile);
		holds = rewrite_holds(w, &tree, &g->facts, &now, substituted) && (!substituted || is_covered(g, w, &tree, text));
	}
	facts_release(&now);
	tree_release(&tree);
	return holds;
}

/* Edits for what the analysis found to be hidden, beside the LIMIT. */
static bool
substitute(struct judging *g, struct rewrite *w, bool *substituted)
{
	const struct analysis *a = &g->analysis;
	struct restricted_objects restricted = { 0 };
	struct edits edits = { 0 };
	struct err why = { "" };
	bool fine;

	*substituted = a->nsites + a->nunqualified + a->nwraps > 0;
	if (!*substituted)
		return true;
	for (size_t i = 0; i < RESTRICTED_LISTS && a->nwraps > 0; i++)
		restricted.oids[i] = rights_restricted(g->rights, (enum restricted)i, &restricted.n[i]);
	fine = substitute_plan(&edits, a, rights_catalog(g->rights), &restricted, g->j->text, g->j->text_len, &why) &&
	       rewrite_merge(w, &edits);
	*substituted = edits.n > 0;
	edits_release(&edits);
	if (fine)
		return true;
	return refuse(&g->refusal, RULE_COLUMN_DENIED, a->nsites > 0 ? a->sites[0].location : g->facts.statements[0].location,
	    "this statement refused: a table in it is hidden in part, and %s",
	    *why.text != '\0' ? why.text : "nothing can be put in its place here");
}

/* The count of rows on the stream remains when a LIMIT is dropped; READ WRITE and what is hidden have no such guard. */
static bool
give_up(struct judging *g, const struct rewrite *w, bool substituted)
{
	struct facts *f = &g->facts;

	for (size_t i = 0; i < f->nstatements; i++)
		f->statements[i].is.limited = false;
	if (substituted)
		return refuse(&g->refusal, RULE_COLUMN_DENIED, g->analysis.nsites > 0 ? g->analysis.sites[0].location : -1,
		    "this statement refused: a table in it is hidden in part, and the text could not be changed for certain");
	if (w->required > 0)
		return refuse(
		    &g->refusal, RULE_READ_ONLY, f->statements[0].location, "READ WRITE refused: this connection is read-only");
	return true;
}

static bool
rewrite(struct judging *g)
{
	struct judgement *j = g->j;
	struct rewrite w;
	size_t len = 0;
	char *text = NULL;
	bool fine, substituted;

	rewrite_plan(&w, &g->tree, &g->facts, g->profile, j->text);
	fine = substitute(g, &w, &substituted);
	if (!fine || w.n == 0)
		goto out;
	text = rewrite_apply(&w, j->text, j->text_len, &len);
	if (text != NULL && (w.settled || verify(g, &w, text, len, substituted))) {
		keep_rewrite(j, &w, text, len);
		text = NULL;
	} else {
		fine = give_up(g, &w, substituted);
	}
out:
	free(text);
	rewrite_release(&w);
	return fine;
}

/* What every name means, where there is a catalog to ask. */
static bool
understand(struct judging *g)
{
	if (g->rights == NULL)
		return true;
	if (!analyze(&g->analysis, g->rights, &g->tree, g->j->text, g->types, g->ntypes, &g->refusal))
		return false;
	return g->analysis.complete || decide_calls(g->profile, g->rights, &g->facts, &g->refusal);
}

static bool
judge(struct judging *g)
{
	struct judgement *j = g->j;
	bool fine;

	if (!parser_parse(&g->parser, j->text, &g->tree)) {
		refuse(&g->refusal, RULE_PARSE_ERROR, -1, "%s", g->tree.error);
		g->refusal.position = g->tree.position;
		tree_release(&g->tree);
		return false;
	}
	facts_init(&g->facts);
	facts_collect(&g->facts, &g->tree, j->text, j->text_len, g->profile);
	fine = decide(g->profile, g->rights, &g->facts, g->flags, &g->refusal) && understand(g);
	if (fine && g->facts.n > 0)
		fine = rewrite(g);
	judgement_fill(j, &g->facts, g->profile, g->rights);
	j->unknown = !fine && (g->refusal.rule == RULE_UNKNOWN_OBJECT || g->analysis.unknown);
	if (g->rights != NULL) {
		judgement_reached(j, &g->analysis, rights_catalog(g->rights));
		analysis_release(&g->analysis);
	}
	facts_release(&g->facts);
	tree_release(&g->tree);
	return fine;
}

static struct judgement *
judge_text(struct judging *g, const struct policy *policy, const char *text, size_t len)
{
	bool fine;

	g->j = judgement_new(policy, g->profile, text, len);
	fine = check_text(g->j, g->profile, &g->refusal);
	if (fine) {
		parser_open(&g->parser);
		if (g->rights != NULL)
			rights_set_parser(g->rights, &g->parser);
		fine = judge(g);
		if (g->rights != NULL)
			rights_set_parser(g->rights, NULL);
		parser_close(&g->parser);
	}
	if (!fine)
		block(g->j, policy, g->profile, &g->refusal);
	refusal_release(&g->refusal);
	return g->j;
}

struct judgement *
policy_judge(const struct policy *policy, const struct profile *p, const char *text, size_t len, unsigned flags)
{
	struct judging g = { .profile = p, .flags = flags };

	return judge_text(&g, policy, text, len);
}

struct judgement *
rights_judge(struct rights *rights, const char *text, size_t len, unsigned flags, const uint32_t *types, size_t ntypes)
{
	struct judging g = { .profile = rights_profile(rights), .flags = flags, .types = types, .ntypes = ntypes };
	struct judgement *j;

	if (rights_catalog(rights) != NULL)
		g.rights = rights;
	j = judge_text(&g, rights_policy(rights), text, len);
	j->rights = rights_generation(rights);
	return j;
}
