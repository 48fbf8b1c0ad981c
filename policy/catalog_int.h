/* policy/catalog_int.h - the inside of a catalog snapshot, shared by catalog*.c.
 *
 * A finished catalog is a few plain arrays (sorted by OID, as the rows came),
 * one arena of strings and small arrays, and hash indexes that hold positions
 * in the arrays. The builder has the same arrays while they grow, and besides
 * what only building needs. Everything here ends the process when memory is
 * gone; how much a peer can ask for is limited in catalog_builder_row().
 */
#ifndef CATALOG_INT_H
#define CATALOG_INT_H

#include <stdatomic.h>

#include "keyhash.h"
#include "objects.h"

/* --- sections ------------------------------------------------------------------ */

enum section {
	S_DATABASE,
	S_NAMESPACES,
	S_RELATIONS,
	S_COLUMNS,
	S_INHERITANCE,
	S_VIEWS,
	S_DEPENDS,
	S_POLICIES,
	S_EXPRESSIONS,
	S_TYPES,
	S_CHECKS,
	S_FUNCTIONS,
	S_AGGREGATES,
	S_OPERATORS,
	S_CASTS,
	S_OPCLASSES,
	NSECTIONS
};

enum value_kind {
	V_END,
	V_OID,     /* 0 to 4294967295 */
	V_NUMBER,  /* min to max */
	V_FLAG,    /* t or f */
	V_LETTER,  /* one of letters */
	V_LETTERS, /* any number of them; borrowed from the row */
	V_NAME,    /* interned: names repeat */
	V_TEXT,    /* copied: expressions do not */
	V_OIDS,    /* OIDs with a space between */
	V_NAMES    /* a JSON array of strings: names may hold anything else that could stand between */
};

/* What one column of a section holds; maybe: NULL is fine. */
struct field {
	const char *name;
	enum value_kind kind;
	bool maybe;
	int32_t min, max;
	const char *letters;
};

#define FIELDS_MAX 17

/* A value read: the member that its kind says. NULL leaves all of it zero. */
struct value {
	const char *text; /* V_NAME, V_TEXT, V_LETTERS */
	size_t n;         /* of V_OIDS, V_NAMES, V_LETTERS */
	const uint32_t *oids;
	const char *const *names;
	uint32_t oid;
	int32_t number;
	char letter;
	bool flag;
};

const struct field *section_fields(size_t section);
size_t section_nfields(size_t section);

/* --- memory -------------------------------------------------------------------- */

struct cat_arena {
	struct cat_block *blocks; /* owned */
	char *next, *end;
	size_t bytes;
};

void *cat_take(struct cat_arena *, size_t size); /* zeroed, for any type */
char *cat_text(struct cat_arena *, const char *, size_t len);
void cat_arena_free(struct cat_arena *);

struct list {
	void *items; /* owned */
	size_t n, room;
};

void *list_add(struct list *, size_t size); /* zeroed */
void list_trim(struct list *, size_t size);
void list_free(struct list *);

/* Items in the order of their owners, and where each owner's begin. */
struct group {
	struct list items, runs;
};

struct run {
	uint32_t owner, first;
};

/* NULL: the owner is before the last one. */
void *group_add(struct group *, uint32_t owner, size_t size);
const void *group_last(const struct group *, uint32_t owner, size_t size); /* NULL: the last item is of another owner */
size_t group_run(const struct group *, size_t run);       /* how many items it has */
void group_free(struct group *);

/* --- indexes ------------------------------------------------------------------- */

/* Open addressing. A tag is an OID or a keyed hash of a name; the caller
 * compares what stands at the positions that it gets. The multiplier is drawn
 * anew for each catalog, so that OIDs cannot be chosen to collide. */
struct slot {
	uint32_t tag, at; /* at: position + 1; 0 nothing */
};

struct index {
	struct slot *slots; /* owned; NULL: empty */
	uint64_t multiplier;
	unsigned shift;
	uint32_t mask;
};

struct probe {
	const struct index *index;
	uint32_t tag, slot;
};

#define NOWHERE UINT32_MAX

void index_init(struct index *, const struct keyhash *, size_t n);
void index_add(struct index *, uint32_t tag, size_t at);
void index_free(struct index *);
size_t index_bytes(const struct index *);

static inline struct probe
index_look(const struct index *ix, uint32_t tag)
{
	return (struct probe){ ix, tag, ix->slots != NULL ? (uint32_t)((ix->multiplier * tag) >> ix->shift) : 0 };
}

/* The next position with that tag, NOWHERE behind the last. */
static inline uint32_t
index_next(struct probe *p)
{
	const struct slot *s;

	if (p->index->slots == NULL)
		return NOWHERE;
	for (;;) {
		s = &p->index->slots[p->slot];
		if (s->at == 0)
			return NOWHERE;
		p->slot = (p->slot + 1) & p->index->mask;
		if (s->tag == p->tag)
			return s->at - 1;
	}
}

static inline uint32_t
tag_of_name(const struct keyhash *key, uint32_t namespace, const char *name, size_t len)
{
	uint64_t h = keyhash(key, name, len);

	return (uint32_t)(h ^ h >> 32) ^ namespace * 2654435761u;
}

/* --- the catalog --------------------------------------------------------------- */

/* Objects of one name, side by side in an array of pointers. */
struct overloads {
	uint32_t first, n;
};

struct by_name {
	const void **objects; /* owned; cat_function or cat_operator, by name */
	struct overloads *groups; /* owned */
	size_t ngroups;
	struct index index;   /* of groups */
};

struct catalog {
	atomic_uint refs;
	uint64_t generation;
	struct keyhash key;
	struct cat_arena arena;
	int server_version;
	uint32_t database_oid;
	const char *database;
	const char *probe;
	size_t bytes;

	struct list namespaces, relations, types, functions, operators, casts, opclasses;
	struct group columns, parents, depends, policies, expressions, checks;
	uint32_t *children; /* owned; of all parents */
	struct list formers; /* names of before, by relation and column */

	struct index namespace_oid, namespace_name;
	struct index relation_oid, relation_name;
	struct index type_oid, type_name;
	struct index function_oid, operator_oid;
	struct by_name function_names, operator_names;
	const struct cat_cast **user_casts; /* owned */
	size_t nuser_casts;
	const struct cat_opclass **opclasses_by_type; /* owned */
};

struct catalog_builder {
	struct catalog *catalog; /* owned */
	size_t section, row;     /* being read, for error texts */
	size_t stored;           /* bytes of the arrays, roughly */
	uint32_t last_aggregate;
	struct list strings;     /* interned ones */
	struct index interned;
};

void catalog_free(struct catalog *);
const char *builder_intern(struct catalog_builder *, const char *, size_t len);
/* Reads the fields of a row; false with why when one is not what it should be. */
bool builder_values(struct catalog_builder *, const char *const *texts, struct value *, struct err *);
/* Adds an object, whose first member is its OID. NULL: it does not come after the last one. */
void *builder_object(struct list *, size_t size, uint32_t oid);
bool builder_out_of_order(struct err *); /* false */
bool store_function(struct catalog_builder *, const struct value *, struct err *);
bool store_aggregate(struct catalog_builder *, const struct value *, struct err *);
/* Indexes and links; false when objects contradict each other. */
bool catalog_link(struct catalog *, struct err *);

#endif
