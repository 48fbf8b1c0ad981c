/* policy/rights_int.h - what the files of rights share.
 *
 * Working out one answer may need others: a view's body, the policies of a
 * table that it reads, the functions of a domain there. Each such step is a
 * frame on one stack, so that depth and work are bounded, and so that what
 * leads back to itself ends: who asks for something that is being worked out
 * is told that it is open, and relies on it. A refusal is final. A yes that
 * relies on a frame below is not remembered, since that frame may yet become
 * a refusal; the frame's own answer is then worked out with all of it.
 */
#ifndef RIGHTS_INT_H
#define RIGHTS_INT_H

#include "analyze.h"
#include "refusal.h"
#include "rights.h"

#define RIGHTS_DEPTH_MAX 32                   /* views over views over ... */
#define RIGHTS_STEPS_MAX 2000                 /* frames of one question */
#define RIGHTS_STACK_MAX ((uintptr_t)2 << 20) /* bytes that all these frames may take of the thread's stack */

/* OID (and more) to a number that is not 0. */
struct memo {
	struct memo_slot {
		uint64_t key; /* 0: free */
		uint32_t value;
	} * slots; /* owned */
	size_t n, room;
};

uint32_t memo_get(const struct memo *, uint64_t key); /* 0: not there */
void memo_put(struct memo *, uint64_t key, uint32_t value);
void memo_free(struct memo *);

/* What was found out about a function or a type. */
struct finding {
	enum function_answer answer;
	const char *why; /* static, or kept by the rights */
};

struct guarded {
	struct relation_rights rights; /* what rights_relation() answers */
	struct guard *guard;           /* owned; the same as in rights */
};

struct oid_list {
	uint32_t *oids; /* owned, ascending */
	size_t n, room;
};

/* Accesses (read, write, both) times with and without children. */
#define RIGHTS_SLOTS 6

struct rights {
	unsigned refs;
	uint64_t generation;
	struct policy *policy;         /* one reference */
	const struct profile *profile; /* borrowed from the policy */
	struct catalog *catalog;       /* one reference; NULL: none */
	uint32_t *path;                /* owned */
	size_t npath;
	struct parser *parser; /* borrowed while a text is judged; else NULL */
	bool unbound;          /* row-level security does not hold the login */

	/* by relation index; an entry may point into frames: it is being worked out */
	const struct relation_rights **standings[RIGHTS_SLOTS]; /* owned, each made when first needed */
	struct memo guards;                                     /* relation OID to 1 + index of guarded, or GUARD_NONE */
	struct guarded **guarded;                               /* owned */
	size_t nguarded;
	struct relation_rights **denials; /* owned */
	size_t ndenials;
	struct memo functions, types; /* to 1 + frame while being worked out, or FOUND + index of findings */
	struct finding *findings;     /* owned */
	size_t nfindings;
	char **kept; /* owned strings */
	size_t nkept;

	struct oid_list restricted[RESTRICTED_LISTS];
	bool listed;           /* restricted is complete */
	bool listed_relations; /* its relations are */
	bool listing;          /* it is being made: system catalogs count as open */

	struct relation_rights frames[RIGHTS_DEPTH_MAX]; /* what is answered about each frame meanwhile */
	int depth;
	int relied;      /* the lowest frame that an answer relied on; INT_MAX: none */
	unsigned steps;  /* frames since the question came */
	uintptr_t stack; /* where the thread's stack was then */
	bool exhausted;  /* too deep or too much work: answers are refusals, and are not remembered */
	bool wants_lists;
};

#define FOUND 1000u

/* --- frames --- */

/* False: too deep, or too much work. Otherwise frames[depth - 1] is ours, and open. */
bool rights_enter(struct rights *) must_check;
/* May the answer be remembered? open: it is no refusal. */
bool rights_leave(struct rights *, bool open) must_check;
void rights_rely(struct rights *, int frame);
/* The question is to be asked once more: lists of restricted objects were needed in the middle of it, and are there now. */
bool rights_again(struct rights *);

const char *rights_keep(struct rights *, const char *); /* a copy that lives as long as the rights */
uint32_t rights_found(struct rights *, enum function_answer, const char *why);

/* --- names --- */

const char *rights_schema(const struct rights *, uint32_t namespace);
void append_name(struct sb *, const char *schema, const char *name); /* "schema"."name", quoted */
bool is_system_relation(const struct rights *, const struct cat_relation *);

/* --- bodies (rights_body.c) --- */

/* With the parser of the text that is judged, or one of its own. shows: its values come out to the reader, so that
 * reading a setting there is showing it. On false why says what is not open. */
bool rights_body(struct rights *, const struct body *, bool shows, enum rule *, struct err *why);
/* Marks the view's columns that are nothing but a literal of its definition. False: the definition cannot be read. */
bool rights_literals(struct rights *, const struct cat_relation *, bool *marks, size_t *n);

/* --- what planning runs (rights_planned.c) --- */

/* Could planning any query of the relation call something in this expression of its indexes, CHECKs, statistics...? */
bool rights_planned(const struct rights *, const struct cat_relation *, const char *expression);

/* --- guards (rights_guard.c) --- */

/* NULL: nothing is hidden. A denied answer (with why) when a rule cannot be kept. */
bool rights_guard(struct rights *, const struct cat_relation *, const struct relation_rights **guarded, struct err *why);

/* --- families (rights_family.c) --- */

/* Every relation above (or below) in inheritance, each once; *list is the caller's to free. */
size_t rights_family(const struct rights *, const struct cat_relation *, bool up, const struct cat_relation ***list);
/* Reading rel reads its children and partitions: is anything of them closed that is not closed in rel? */
bool
rights_children(struct rights *, const struct cat_relation *, unsigned access, const struct guard *, enum rule *, struct err *why);

/* --- functions (rights_signature.c) --- */

/* certain: types that cannot be made out do not match; else they do. */
bool rights_signature(const struct rights *, const struct cat_function *, const struct function_pattern *, bool certain);

#endif
