/* policy/load_session.c - what we set ourselves: "session", and the key of hashed values. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "patterns.h"
#include "session_settings.h"
#include "settings.h"

#define SESSION_MAX 100
#define SESSION_VALUE_MAX 1000
#define KEY_MIN 16
#define KEY_MAX 512

/* --- session ----------------------------------------------------------------- */

/* As PostgreSQL wants the names of settings that it does not know: identifiers with a dot between. */
static bool
good_name(const char *name, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	const char *s = name;
	size_t parts = 0, len;

	do {
		len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$");
		if (len == 0 || strchr(letters, *s) == NULL || (s[len] != '\0' && s[len] != '.'))
			return err_set(err, "expected the name of a setting with a dot, such as app.user_id");
		parts++;
		s += len + 1;
	} while (s[-1] == '.');
	if (parts < 2)
		return err_set(err, "expected the name of a setting with a dot, such as app.user_id");
	if (strlen(name) > IDENTIFIER_MAX)
		return err_set(err, "a name has 63 bytes at most");
	if (setting_reserved(name))
		return err_set(err, "settings that begin with \"pgmoat.\" are our own");
	return true;
}

static bool
repeated(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->nsession; i++)
		if (strcasecmp(p->session[i].name, name) == 0)
			return true;
	return false;
}

static void
load_setting(struct fields *f, const cJSON *v, const struct path *path, struct profile *p)
{
	struct err err;

	if (!good_name(v->string, &err))
		fields_key_error(f, v, path, "%s", err.text);
	else if (repeated(p, v->string))
		fields_key_error(f, v, path, "is repeated: names of settings do not know case");
	else if (!cJSON_IsString(v) || strlen(v->valuestring) > SESSION_VALUE_MAX)
		fields_expected(f, v, path, "a text of at most 1000 bytes");
	else if (!session_value_check(v->valuestring, &err))
		fields_error(f, v, path, "%s", err.text);
	else
		p->session[p->nsession++] = (struct session_setting){ xstrdup(v->string), xstrdup(v->valuestring) };
}

void
load_session(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;
	const cJSON *item;

	if (!cJSON_IsObject(v) || cJSON_GetArraySize(v) > SESSION_MAX) {
		fields_expected(f, v, path, "an object with at most 100 settings");
		return;
	}
	if (p->session != NULL)
		return;
	p->session = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(p->session[0]));
	cJSON_ArrayForEach(item, v)
	{
		struct path at = { path, item->string, 0 };

		load_setting(f, item, &at, p);
	}
}

void
session_release(struct profile *p)
{
	for (size_t i = 0; i < p->nsession; i++) {
		free(p->session[i].name);
		free(p->session[i].value);
	}
	free(p->session);
	mask_key_release(&p->mask_key);
}

/* --- mask_key ------------------------------------------------------------------ */

struct key_entry {
	char *file;
};

const struct field key_fields[] = {
	{ "file", FIELD_STRING, offsetof(struct key_entry, file), .required = true,
	    .doc = "File that holds the key, relative to the policy file; a newline at its end does not count" },
	{ .name = NULL },
};

void
mask_key_release(char **key)
{
	if (*key != NULL)
		explicit_bzero(*key, strlen(*key));
	free(*key);
	*key = NULL;
}

/* It travels as a setting of the connection: text without control bytes. The reason says nothing of its content. */
static bool
good_key(const char *key, size_t len, struct err *err)
{
	if (len < KEY_MIN || len > KEY_MAX)
		return err_set(err, "expected a key of %d to %d bytes, found %zu", KEY_MIN, KEY_MAX, len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
			return err_set(err, "expected a key without control characters");
	return utf8_valid(key, len) || err_set(err, "expected a key in UTF-8");
}

/* file, seen from the policy's own directory; caller frees. */
static char *
beside(const char *policy, const char *file)
{
	const char *slash = strrchr(policy, '/');
	struct sb sb = { 0 };

	if (*file != '/' && slash != NULL)
		sb_bytes(&sb, policy, (size_t)(slash - policy) + 1);
	sb_str(&sb, file);
	return sb_take(&sb);
}

/* Only regular files: a FIFO or a device would hold us up. */
static ssize_t
read_small_file(const char *path, char *buf, size_t size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = -1;

	if (fd == -1 || fstat(fd, &st) == -1)
		err_set(err, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err_set(err, "%s: expected a regular file", path);
	else if ((n = read(fd, buf, size)) == -1)
		err_set(err, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return n;
}

static void
load_key_file(struct fields *f, const cJSON *v, const struct path *path, const char *file, char **key)
{
	char buf[KEY_MAX + 3], *full = beside(f->file, file);
	struct err err;
	ssize_t n = read_small_file(full, buf, sizeof(buf), &err);
	size_t len = n > 0 ? (size_t)n : 0;

	if (len > 0 && buf[len - 1] == '\n')
		len--;
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	if (n < 0 || !good_key(buf, len, &err))
		fields_error(f, v, path, "%s", err.text);
	else
		*key = xstrndup(buf, len);
	explicit_bzero(buf, sizeof(buf));
	free(full);
}

void
load_key(struct fields *f, const cJSON *v, const struct path *path, char **key)
{
	struct key_entry entry = { NULL };
	struct err err;

	mask_key_release(key);
	if (cJSON_IsObject(v)) {
		fields_read(f, v, path, key_fields, &entry);
		if (entry.file != NULL)
			load_key_file(f, v, path, entry.file, key);
		free(entry.file);
	} else if (!cJSON_IsString(v)) {
		fields_error(
		    f, v, path, "expected a text of 16 to 512 bytes or {\"file\": ...}"); /* not what was found: it may be a key */
	} else if (!good_key(v->valuestring, strlen(v->valuestring), &err)) {
		fields_error(f, v, path, "%s", err.text);
	} else {
		*key = xstrdup(v->valuestring);
	}
}

void
load_mask_key(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_key(f, v, path, &((struct profile *)base)->mask_key);
}
