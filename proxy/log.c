/* proxy/log.c - what the operator reads: one line an event. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "stamp.h"

#define LINE_MAX_BYTES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around fd and path */
static int fd = STDERR_FILENO;
static char *path; /* owned; NULL: stderr */
static atomic_int threshold = LOG_INFO_;

static int
open_file(const char *file)
{
	return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

bool
log_open(const char *file, enum log_level level, struct err *err)
{
	int opened = STDERR_FILENO;

	if (file != NULL && (opened = open_file(file)) == -1)
		return err_set(err, "log file %s: %s", file, strerror(errno));
	log_close();
	pthread_mutex_lock(&lock);
	fd = opened;
	path = file != NULL ? xstrdup(file) : NULL;
	pthread_mutex_unlock(&lock);
	atomic_store(&threshold, (int)level);
	return true;
}

/* The old file stays when the new one cannot be opened: better a rotated log
 * than none. */
void
log_reopen(void)
{
	int opened = -1, error = 0;

	pthread_mutex_lock(&lock);
	if (path != NULL) {
		if ((opened = open_file(path)) == -1)
			error = errno;
		else {
			close(fd);
			fd = opened;
		}
	}
	pthread_mutex_unlock(&lock);
	if (error != 0)
		log_line(LOG_ERROR_, 0, "log file cannot be opened again, still writing to the old one: %s", strerror(error));
}

void
log_close(void)
{
	pthread_mutex_lock(&lock);
	if (path != NULL)
		close(fd);
	free(path);
	path = NULL;
	fd = STDERR_FILENO;
	pthread_mutex_unlock(&lock);
}

bool
log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* Terminals obey C1 controls (U+0080 to U+009F) too; in text that is not
 * UTF-8 every high byte could be one. */
static bool
is_control(const unsigned char *s, size_t len, size_t i, bool utf8)
{
	if (s[i] < 0x20 || s[i] == 0x7f)
		return true;
	if (s[i] < 0x80)
		return false;
	if (!utf8)
		return true;
	return (s[i] == 0xc2 && i + 1 < len && s[i + 1] < 0xa0) || (i > 0 && s[i - 1] == 0xc2 && s[i] < 0xa0);
}

static void
escape(struct sb *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	bool utf8 = utf8_valid(text, len);
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_control(s, len, i, utf8))
			sb_fmt(out, "\\x%02x", s[i]);
		else
			sb_char(out, text[i]);
	}
}

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_DEBUG_:
		return "debug";
	case LOG_INFO_:
		return "info";
	case LOG_WARN_:
		return "warn";
	case LOG_ERROR_:
		break;
	}
	return "error";
}

static void
write_line(const char *text, size_t len)
{
	ssize_t n;

	pthread_mutex_lock(&lock);
	while (len > 0) {
		n = write(fd, text, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody is left to tell */
		text += n;
		len -= (size_t)n;
	}
	pthread_mutex_unlock(&lock);
}

void
log_line(enum log_level level, uint64_t session, const char *fmt, ...)
{
	char message[LINE_MAX_BYTES], stamp[STAMP_SIZE];
	int saved = errno, len;
	struct sb line = { 0 };
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	len = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (len < 0)
		len = 0;
	stamp_now(stamp);
	sb_fmt(&line, "%s %s ", stamp, level_name(level));
	if (session != 0)
		sb_fmt(&line, "session=%llu ", (unsigned long long)session);
	escape(&line, message, strnlen(message, sizeof(message)));
	sb_str(&line, (size_t)len >= sizeof(message) ? " [cut]\n" : "\n");
	if (!line.bad)
		write_line(line.text, line.len);
	sb_free(&line);
	errno = saved;
}
