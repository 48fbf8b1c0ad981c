#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4 /* a power of two, as all that follow */
#define ROOM_KEPT 64 /* an idle session keeps no more than this */

/* The i-th entry from the head, there or about to be. */
static struct owed *
entry(const struct pipeline *p, size_t i)
{
	return &p->ring[(p->head + i) & (p->room - 1)];
}

static bool
closes(enum owed_kind kind)
{
	return kind == OWED_QUERY || kind == OWED_SYNC;
}

static void
owed_release(struct owed *o)
{
	judgement_unref(o->judgement);
	tally_unref(o->tally);
	free(o->error);
	free(o->late);
}

static size_t
text_bytes(const struct judgement *j)
{
	return j != NULL ? j->text_len + j->rewritten_len : 0;
}

void
pipeline_release(struct pipeline *p)
{
	while (p->count > 0)
		pipeline_pop(p);
	free(p->ring);
	*p = (struct pipeline){ 0 };
}

static void
resize(struct pipeline *p, size_t room)
{
	struct owed *ring = xcalloc(room, sizeof(*ring));
	size_t i;

	for (i = 0; i < p->count; i++)
		ring[i] = *entry(p, i);
	free(p->ring);
	p->ring = ring;
	p->room = room;
	p->head = 0;
}

struct owed *
pipeline_push(struct pipeline *p, enum owed_kind kind, uint64_t number)
{
	struct owed *o;

	if (p->count == p->room)
		resize(p, p->room == 0 ? ROOM_FIRST : p->room * 2);
	o = entry(p, p->count++);
	*o = (struct owed){ .kind = kind, .number = number };
	p->closers += closes(kind);
	return o;
}

struct owed *
pipeline_at(struct pipeline *p, size_t i)
{
	return i < p->count ? entry(p, i) : NULL;
}

struct owed *
pipeline_head(struct pipeline *p)
{
	return pipeline_at(p, 0);
}

struct owed *
pipeline_tail(struct pipeline *p)
{
	return p->count > 0 ? pipeline_at(p, p->count - 1) : NULL;
}

void
pipeline_judged(struct pipeline *p, struct owed *o, struct judgement *j)
{
	o->judgement = j;
	p->bytes += text_bytes(j);
}

void
pipeline_pop(struct pipeline *p)
{
	struct owed *o = pipeline_head(p);

	if (o == NULL)
		return;
	p->closers -= closes(o->kind);
	p->bytes -= text_bytes(o->judgement);
	owed_release(o);
	p->head = (p->head + 1) & (p->room - 1);
	if (--p->count == 0 && p->room > ROOM_KEPT) {
		free(p->ring);
		p->ring = NULL;
		p->room = p->head = 0;
	}
}

void
pipeline_forget_syncs(struct pipeline *p)
{
	struct owed *head, *next;

	while ((next = pipeline_at(p, 1)) != NULL && next->kind == OWED_SYNC) {
		head = pipeline_head(p);
		owed_release(next);
		*next = *head;
		*head = (struct owed){ .kind = OWED_SYNC }; /* swapped, so that the pop below takes the Sync */
		pipeline_pop(p);
	}
}

bool
pipeline_has_closer(const struct pipeline *p)
{
	return p->closers > 0;
}

const struct judged_statement *
owed_statement(const struct owed *o)
{
	if (o->judgement == NULL || o->statement >= o->judgement->nstatements)
		return NULL;
	return &o->judgement->statements[o->statement];
}
