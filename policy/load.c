/* policy/load.c - from the text of a policy file to a struct policy, or to all of its errors. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define PROFILES_MAX 1000
#define ASSIGNMENTS_MAX 10000
#define PROFILE_NAME_MAX 63

static const struct word modes[] = { { "off", MODE_OFF }, { "observe", MODE_OBSERVE }, { "enforce", MODE_ENFORCE }, { NULL, 0 } };

static const char *
next_profile(const void *policy, size_t i)
{
	const struct policy *p = policy;

	return i < p->nprofiles ? p->profiles[i].name : NULL;
}

/* --- profiles --------------------------------------------------------------- */

static bool
good_profile_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= PROFILE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static void
load_profiles(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct policy *p = base;
	const cJSON *item;
	int n = cJSON_IsObject(v) ? cJSON_GetArraySize(v) : 0;

	if (n < 1 || n > PROFILES_MAX || p->profiles != NULL) {
		if (p->profiles == NULL)
			fields_expected(f, v, path, "an object with 1 to 1000 profiles");
		return;
	}
	p->profiles = xcalloc((size_t)n, sizeof(p->profiles[0]));
	cJSON_ArrayForEach(item, v)
	{
		struct path at = { path, item->string, 0 };
		struct profile *profile = &p->profiles[p->nprofiles++];

		profile_defaults(profile);
		profile->name = xstrdup(item->string);
		if (!good_profile_name(item->string))
			fields_key_error(f, item, &at, "a profile's name has 1 to 63 letters, digits, '_', '.' or '-'");
		load_profile(f, item, &at, profile);
	}
}

/* --- assign ------------------------------------------------------------------ */

static void
load_glob(struct fields *f, const cJSON *v, const struct path *path, char **glob)
{
	bool good = cJSON_IsString(v) && v->valuestring[0] != '\0';

	for (const char *s = good ? v->valuestring : ""; *s != '\0'; s++)
		good &= (unsigned char)*s >= 0x20 && *s != 0x7f;
	if (!good) {
		fields_expected(f, v, path, "a name, perhaps with * and ?");
		return;
	}
	free(*glob);
	*glob = xstrdup(v->valuestring);
}

static void
load_user(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_glob(f, v, path, &((struct assignment *)base)->user);
}

static void
load_database(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_glob(f, v, path, &((struct assignment *)base)->database);
}

static void
load_application(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_glob(f, v, path, &((struct assignment *)base)->application_name);
}

static void
load_client(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct err err;

	if (!cJSON_IsString(v))
		fields_expected(f, v, path, "an address range such as \"10.0.0.0/8\"");
	else if (!network_parse(&((struct assignment *)base)->client, v->valuestring, &err))
		fields_error(f, v, path, "%s", err.text);
}

const struct field assignment_fields[] = {
	{ "user", FIELD_CUSTOM, .read = load_user, .schema = "glob", .doc = "The name that the client logs in with" },
	{ "database", FIELD_CUSTOM, .read = load_database, .schema = "glob", .doc = "The database that it asks for" },
	{ "client", FIELD_CUSTOM, .read = load_client, .schema = "client", .doc = "Its address: 10.0.0.0/8, ::1, unix or *" },
	{ "application_name", FIELD_CUSTOM, .read = load_application, .schema = "glob",
	    .doc = "What it calls itself; anybody can call himself anything" },
	{ "profile", FIELD_STRING, offsetof(struct assignment, profile_name), .required = true, .schema = "profile_name",
	    .doc = "The profile of clients that fit all of these" },
	{ .name = NULL },
};

static void
load_assign(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct policy *p = base;
	struct path at = { path, NULL, 0 };
	const cJSON *item;

	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > ASSIGNMENTS_MAX) {
		fields_expected(f, v, path, "a list of at most 10000 entries");
		return;
	}
	if (p->assignments != NULL)
		return;
	p->assignments = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(p->assignments[0]));
	cJSON_ArrayForEach(item, v)
	{
		fields_read(f, item, &at, assignment_fields, &p->assignments[p->nassignments++]);
		at.index++;
	}
}

/* --- the file ----------------------------------------------------------------- */

/* For editors: which schema the file keeps to. Means nothing to us. */
static void
load_schema_name(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	(void)base;
	if (!cJSON_IsString(v))
		fields_expected(f, v, path, "a string");
}

static void
load_shared_key(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_key(f, v, path, &((struct policy *)base)->mask_key);
}

/* What load_profile() says of read_only with writes, in the words of JSON Schema. */
#define WRITES_NEED_READ_WRITE                                                                                 \
	"\"if\":{\"properties\":{\"access_mode\":{\"const\":\"read_write\"}},\"required\":[\"access_mode\"]}," \
	"\"else\":{\"properties\":{\"writes\":{\"properties\":{\"mode\":{\"const\":\"deny\"}}}}}"

const struct field policy_fields[] = {
	{ "$schema", FIELD_CUSTOM, .read = load_schema_name, .schema = "text", .doc = "For editors; pgmoat does not look at it" },
	{ "version", FIELD_INT, offsetof(struct policy, version), .min = 1, .max = 1, .required = true,
	    .doc = "Of the policy language" },
	{ "mode", FIELD_WORD, offsetof(struct policy, mode), .words = modes,
	    .doc = "enforce: refuse; observe: forward everything and write down what would have been done; off: look at nothing" },
	{ "profiles", FIELD_CUSTOM, .read = load_profiles, .required = true, .shape = SHAPE_MAP, .schema = "profile_name",
	    .fields = profile_fields, .extra = WRITES_NEED_READ_WRITE, .doc = "Named sets of rules" },
	{ "assign", FIELD_CUSTOM, .read = load_assign, .shape = SHAPE_LIST, .fields = assignment_fields,
	    .doc = "Who gets which profile: the first entry that fits" },
	{ "default_profile", .type = FIELD_STRING, .offset = offsetof(struct policy, default_name), .schema = "profile_name",
	    .doc = "The profile of everybody else; needed when there are several" },
	{ "mask_key", FIELD_CUSTOM, .read = load_shared_key, .schema = "key", .fields = key_fields,
	    .doc = "The secret of mask hash, for profiles that have none of their own" },
	{ .name = NULL },
};

/* The profile of that name; an error when there is none. */
static size_t
resolve(struct fields *f, const struct policy *p, const char *name, const cJSON *v, const struct path *path)
{
	const char *near;

	for (size_t i = 0; i < p->nprofiles; i++)
		if (strcmp(p->profiles[i].name, name) == 0)
			return i;
	near = nearest(name, next_profile, p);
	fields_error(f, v, path, "there is no profile \"%s\"%s%s%s", name, near != NULL ? ", did you mean \"" : "",
	    near != NULL ? near : "", near != NULL ? "\"?" : "");
	return 0;
}

static void
resolve_assignments(struct fields *f, struct policy *p, const cJSON *root, const struct path *top)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "assign"), *item;
	struct path assign = { top, "assign", 0 }, entry = { &assign, NULL, 0 }, at = { &entry, "profile", 0 };

	cJSON_ArrayForEach(item, list)
	{
		struct assignment *a;

		if (entry.index == p->nassignments)
			break;
		a = &p->assignments[entry.index];
		if (a->profile_name != NULL)
			a->profile = resolve(f, p, a->profile_name, cJSON_GetObjectItemCaseSensitive(item, "profile"), &at);
		entry.index++;
	}
}

/* Without a secret, values that can be guessed could be told from their hashes. */
static void
check_mask_key(struct fields *f, const struct profile *p, const cJSON *v, const struct path *profile)
{
	const cJSON *item, *columns = cJSON_GetObjectItemCaseSensitive(v, "columns");
	struct path list = { profile, "columns", 0 }, entry = { &list, NULL, 0 }, at = { &entry, "mask", 0 };

	if (p->mask_key != NULL || cJSON_GetObjectItemCaseSensitive(v, "mask_key") != NULL)
		return;
	cJSON_ArrayForEach(item, columns)
	{
		const cJSON *mask = cJSON_GetObjectItemCaseSensitive(item, "mask");

		if (cJSON_IsString(mask) && strcmp(mask->valuestring, "hash") == 0)
			fields_error(f, mask, &at, "\"hash\" needs a mask_key, in the profile or at the top of the file");
		entry.index++;
	}
}

static void
share_mask_key(struct fields *f, struct policy *p, const cJSON *root, const struct path *top)
{
	const cJSON *profiles = cJSON_GetObjectItemCaseSensitive(root, "profiles"), *v;
	bool written = cJSON_GetObjectItemCaseSensitive(root, "mask_key") != NULL;
	struct path up = { top, "profiles", 0 };
	size_t i = 0;

	cJSON_ArrayForEach(v, profiles)
	{
		struct path at = { &up, v->string, 0 };
		struct profile *profile = &p->profiles[i++];

		if (profile->mask_key == NULL && p->mask_key != NULL)
			profile->mask_key = xstrdup(p->mask_key);
		if (!written)
			check_mask_key(f, profile, v, &at);
		if (i == p->nprofiles)
			break;
	}
}

/* What no single object can see. */
static void
cross_check(struct fields *f, struct policy *p, const cJSON *root, const struct path *top)
{
	struct path at = { top, "default_profile", 0 };

	if (p->nprofiles == 0)
		return;
	resolve_assignments(f, p, root, top);
	if (p->default_name != NULL)
		p->default_profile = resolve(f, p, p->default_name, cJSON_GetObjectItemCaseSensitive(root, "default_profile"), &at);
	else if (p->nprofiles > 1 && cJSON_GetObjectItemCaseSensitive(root, "default_profile") == NULL)
		fields_error(f, root, top, "the key \"default_profile\" is missing: there are several profiles");
	share_mask_key(f, p, root, top);
	for (size_t i = 0; i < p->nprofiles; i++)
		p->profiles[i].mode = p->mode;
}

static struct policy *
policy_new(const char *source)
{
	struct policy *p = xcalloc(1, sizeof(*p));

	atomic_init(&p->refs, 1);
	p->source = xstrdup(source);
	p->mode = MODE_ENFORCE;
	return p;
}

/* Never 0, never twice: the key of a cached verdict. */
static uint64_t
next_generation(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

struct policy *
policy_parse(const char *name, const char *text, size_t len, struct sb *errors)
{
	struct path top = { NULL, "", 0 };
	struct policy *p = NULL;
	struct jsonc doc;
	struct fields f = { name, &doc, errors, false };

	f.failed = !jsonc_parse(&doc, name, text, len, errors);
	if (doc.root != NULL) {
		p = policy_new(name);
		fields_read(&f, doc.root, &top, policy_fields, p);
		if (cJSON_IsObject(doc.root))
			cross_check(&f, p, doc.root, &top);
		p->generation = next_generation();
	}
	jsonc_release(&doc);
	if (!f.failed)
		return p;
	policy_unref(p);
	return NULL;
}

/* Caller frees; NULL, and a line in errors, when the file cannot be read or is too long. */
static char *
read_file(const char *path, size_t *len, struct sb *errors)
{
	char *text = NULL;
	FILE *file;

	if ((file = fopen(path, "re")) == NULL) {
		sb_fmt(errors, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	text = xmalloc(POLICY_SIZE_MAX + 1);
	*len = fread(text, 1, POLICY_SIZE_MAX + 1, file);
	if (ferror(file) != 0 || *len > POLICY_SIZE_MAX) {
		if (ferror(file) != 0)
			sb_fmt(errors, "%s: %s\n", path, strerror(errno));
		else
			sb_fmt(errors, "%s: expected at most %zu bytes\n", path, POLICY_SIZE_MAX);
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

struct policy *
policy_load(const char *path, struct sb *errors)
{
	struct policy *p = NULL;
	size_t len;
	char *text;

	if ((text = read_file(path, &len, errors)) != NULL)
		p = policy_parse(path, text, len, errors);
	if (text != NULL)
		explicit_bzero(text, len); /* it may hold the mask key */
	free(text);
	return p;
}

struct policy *
policy_ref(struct policy *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void
policy_unref(struct policy *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	for (size_t i = 0; i < p->nprofiles; i++)
		profile_clear(&p->profiles[i]);
	for (size_t i = 0; i < p->nassignments; i++) {
		free(p->assignments[i].user);
		free(p->assignments[i].database);
		free(p->assignments[i].application_name);
		free(p->assignments[i].profile_name);
	}
	free(p->profiles);
	free(p->assignments);
	mask_key_release(&p->mask_key);
	free(p->default_name);
	free(p->source);
	free(p);
}
