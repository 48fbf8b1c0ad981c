/* proxy/config_file.c - pgmoat.json: one flat object, with comments. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config_table.h"
#include "jsonc.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)

struct file {
	const char *path;
	struct jsonc json;
	struct sb *errors;
	bool good;
};

static void
complain(struct file *f, struct jsonc_place at, const char *key, const char *reason)
{
	struct sb text = { 0 };

	sb_fmt(&text, "%s%s%s", key, *key != '\0' ? ": " : "", reason);
	jsonc_error(f->errors, f->path, at, sb_text(&text));
	sb_free(&text);
	f->good = false;
}

static bool
read_text(struct file *f, struct sb *text)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	char buf[8192];
	ssize_t n = -1;

	while (fd != -1 && text->len <= FILE_SIZE_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
		sb_bytes(text, buf, (size_t)n);
	if (n == -1)
		sb_fmt(f->errors, "%s: %s\n", f->path, strerror(errno));
	else if (text->len > FILE_SIZE_MAX)
		sb_fmt(f->errors, "%s: is longer than %zu bytes\n", f->path, FILE_SIZE_MAX);
	if (fd != -1)
		close(fd);
	return n != -1 && text->len <= FILE_SIZE_MAX;
}

/* A value as an option would write it; NULL: not of the setting's JSON type. */
static const char *
value_text(const struct setting *s, const cJSON *v, char *number, size_t size, struct err *err)
{
	const char *expected = "a string";

	if (s->type == SETTING_INT) {
		expected = "a number";
		if (cJSON_IsNumber(v)) {
			snprintf(number, size, "%.15g", v->valuedouble);
			return number;
		}
	} else if (s->type == SETTING_BOOL) {
		expected = "true or false";
		if (cJSON_IsBool(v))
			return cJSON_IsTrue(v) ? "true" : "false";
	} else if (cJSON_IsString(v))
		return v->valuestring;
	err_set(err, "expected %s", expected);
	return NULL;
}

static bool
read_one(struct config *c, const struct setting *s, const cJSON *v, struct err *err)
{
	char number[40];
	const char *text = value_text(s, v, number, sizeof(number), err);

	return text != NULL && setting_read(s, c, text, err);
}

static bool
read_value(struct config *c, const struct setting *s, const cJSON *v, struct err *err)
{
	const cJSON *item;

	if (s->type != SETTING_LIST || !cJSON_IsArray(v))
		return read_one(c, s, v, err);
	for (item = v->child; item != NULL; item = item->next)
		if (!read_one(c, s, item, err))
			return false;
	return true;
}

static void
read_key(struct file *f, struct config *c, const cJSON *v, struct config_seen *seen)
{
	const struct setting *s = strchr(v->string, '-') == NULL ? setting_find(v->string) : NULL;
	struct err err;

	if (s == NULL) {
		complain(f, jsonc_key(&f->json, v), v->string, "unknown key");
		return;
	}
	if (!read_value(c, s, v, &err))
		complain(f, jsonc_at(&f->json, v), v->string, err.text);
	seen->key[s - settings_table] = true;
}

bool
config_file(struct config *c, const char *path, struct config_seen *seen, struct sb *errors)
{
	struct file f = { .path = path, .errors = errors };
	struct sb text = { 0 };
	const cJSON *v;

	if (read_text(&f, &text))
		f.good = jsonc_parse(&f.json, path, sb_text(&text), text.len, errors);
	/* The text may hold the upstream's password. */
	if (text.text != NULL)
		explicit_bzero(text.text, text.room);
	sb_free(&text);
	if (f.json.root != NULL && !cJSON_IsObject(f.json.root))
		complain(&f, jsonc_at(&f.json, f.json.root), "", "expected an object: { \"listen\": ... }");
	else if (f.json.root != NULL) /* also when a key is repeated: all errors at once */
		for (v = f.json.root->child; v != NULL; v = v->next)
			read_key(&f, c, v, seen);
	jsonc_release(&f.json);
	return f.good;
}
