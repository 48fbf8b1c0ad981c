/* proxy/audit_queue.c - whole lines, queued in memory and written by a thread.
 *
 * Callers format their record, then copy it into the pending buffer under a
 * short lock. The writer takes the whole buffer away and writes it with one
 * write(2), so a burst costs one system call: it waits a few milliseconds for
 * more before it writes, since waking it for every record would cost a busy
 * proxy more than all of its other work. While writing fails it tries
 * again each second; what is queued stays queued, in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit_queue.h"
#include "log.h"

#define RETRY_SECONDS 1
#define GATHER_BYTES (64 << 10)
#define GATHER_NSEC 5000000

struct lines {
	char *text; /* owned; whole lines */
	size_t len, room;
};

struct audit_queue {
	char *path;           /* owned; "-" is stderr */
	bool must_hold;       /* decisions are refused while writing fails */
	size_t max;           /* bytes of pending and writing together */
	size_t max_decisions; /* decisions leave room, so that what was forwarded can be completed */

	pthread_t writer;
	pthread_mutex_t lock; /* around what follows, up to the writer's own */
	pthread_cond_t wake;
	struct lines pending;
	size_t writing; /* bytes that the writer holds */
	bool failing, reopen, closing;
	atomic_uint_least64_t lost;

	/* the writer's own */
	int fd;
	struct lines taken;
	size_t written; /* of taken */
};

/* --- the sink ---------------------------------------------------------- */

/* Non-blocking for the sake of pipes; on a file it changes nothing. */
static int
sink_open(const char *path)
{
	if (strcmp(path, "-") == 0)
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

static bool
same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* In a new file a line that was written in part begins anew. */
static void
sink_reopen(struct audit_queue *q)
{
	int fd = sink_open(q->path);

	if (fd == -1) {
		log_error(0, "audit file %s cannot be opened again, still writing to the old one: %s", q->path, strerror(errno));
		return;
	}
	if (!same_file(fd, q->fd)) {
		while (q->written > 0 && q->taken.text[q->written - 1] != '\n')
			q->written--;
	}
	close(q->fd);
	q->fd = fd;
}

/* Writes what the writer holds; false: not all of it, errno says why. */
static bool
sink_write(struct audit_queue *q)
{
	ssize_t n;

	while (q->written < q->taken.len) {
		n = write(q->fd, q->taken.text + q->written, q->taken.len - q->written);
		if (n > 0)
			q->written += (size_t)n;
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return false;
		else if (errno == EAGAIN &&
			 poll(&(struct pollfd){ .fd = q->fd, .events = POLLOUT }, 1, RETRY_SECONDS * 1000) == 0) {
			errno = EAGAIN; /* nobody reads the pipe */
			return false;
		}
	}
	return true;
}

/* --- the writer -------------------------------------------------------- */

/* Called and returns with the lock held. */
static void
set_failing(struct audit_queue *q, bool failing, int error)
{
	if (q->failing == failing)
		return;
	q->failing = failing;
	if (failing)
		log_error(0, "audit file %s cannot be written: %s%s", q->path, strerror(error),
		    q->must_hold ? "; statements are refused until it can" : "; records wait in memory");
	else
		log_warn(0, "audit file %s is being written again", q->path);
}

static void
wait_to_retry(struct audit_queue *q)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_SECONDS;
	while (!q->closing && !q->reopen && pthread_cond_timedwait(&q->wake, &q->lock, &until) == 0)
		;
}

/* Lets a burst come together. */
static void
gather(struct audit_queue *q)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += GATHER_NSEC;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (
	    !q->closing && !q->reopen && q->pending.len < GATHER_BYTES && pthread_cond_timedwait(&q->wake, &q->lock, &until) == 0)
		;
}

static void
take_pending(struct audit_queue *q)
{
	struct lines empty = { .text = q->taken.text, .room = q->taken.room };

	q->taken = q->pending;
	q->written = 0;
	q->writing = q->taken.len;
	q->pending = empty;
}

static size_t
count_lines(const struct lines *lines, size_t from)
{
	size_t n = 0;

	for (; from < lines->len; from++)
		n += lines->text[from] == '\n';
	return n;
}

/* What could not be written before the end. */
static void
give_up(struct audit_queue *q)
{
	size_t lines = count_lines(&q->taken, q->written) + count_lines(&q->pending, 0);

	if (lines == 0)
		return;
	atomic_fetch_add(&q->lost, lines);
	log_error(0, "audit file %s: %zu records were lost", q->path, lines);
}

static void *
writer(void *arg)
{
	struct audit_queue *q = arg;
	bool good, reopen;
	int error;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		if (q->written == q->taken.len) {
			while (q->pending.len == 0 && !q->closing && !q->reopen)
				pthread_cond_wait(&q->wake, &q->lock);
			if (q->pending.len == 0 && !q->reopen)
				break; /* closing, and all is written */
			gather(q);
			take_pending(q);
		}
		reopen = q->reopen;
		q->reopen = false;
		pthread_mutex_unlock(&q->lock);
		if (reopen)
			sink_reopen(q);
		good = sink_write(q);
		error = errno;
		pthread_mutex_lock(&q->lock);
		q->writing = q->taken.len - q->written;
		set_failing(q, !good, error);
		if (!good && q->closing)
			break;
		if (!good)
			wait_to_retry(q);
	}
	give_up(q);
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* A signal must reach the thread that waits for signals, and a reader that
 * left a pipe must not end the process. */
static int
start_writer(struct audit_queue *q)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&q->writer, NULL, writer, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void
init_lock(struct audit_queue *q)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->wake, &attr);
	pthread_condattr_destroy(&attr);
}

static void
audit_queue_free(struct audit_queue *q)
{
	if (q->fd != -1)
		close(q->fd);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	free(q->pending.text);
	free(q->taken.text);
	free(q->path);
	free(q);
}

struct audit_queue *
audit_queue_open(const char *path, size_t bytes, bool must_hold, struct err *err)
{
	struct audit_queue *q = xcalloc(1, sizeof(*q));
	int error;

	q->path = xstrdup(path);
	q->must_hold = must_hold;
	q->max = bytes;
	q->max_decisions = bytes - bytes / 8;
	init_lock(q);
	if ((q->fd = sink_open(q->path)) == -1) {
		err_set(err, "audit file %s: %s", q->path, strerror(errno));
		audit_queue_free(q);
		return NULL;
	}
	if ((error = start_writer(q)) != 0) {
		err_set(err, "audit thread: %s", strerror(error));
		audit_queue_free(q);
		return NULL;
	}
	return q;
}

void
audit_queue_reopen(struct audit_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->reopen = true;
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

void
audit_queue_close(struct audit_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closing = true;
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->writer, NULL);
	audit_queue_free(q);
}

uint64_t
audit_queue_lost(const struct audit_queue *q)
{
	return atomic_load(&q->lost);
}

/* --- the queue --------------------------------------------------------- */

static bool
lines_append(struct lines *lines, const char *text, size_t len)
{
	size_t room = lines->room;
	char *grown;

	if (lines->len + len > room) {
		for (room = room != 0 ? room : 4096; room < lines->len + len; room *= 2)
			;
		if ((grown = realloc(lines->text, room)) == NULL)
			return false;
		lines->text = grown;
		lines->room = room;
	}
	memcpy(lines->text + lines->len, text, len);
	lines->len += len;
	return true;
}

bool
audit_queue_push(struct audit_queue *q, const struct sb *line, bool decision)
{
	bool queued;

	pthread_mutex_lock(&q->lock);
	queued = !line->bad && !(decision && q->must_hold && q->failing) &&
		 q->pending.len + q->writing + line->len <= (decision ? q->max_decisions : q->max) &&
		 lines_append(&q->pending, line->text, line->len);
	if (queued &&
	    (q->pending.len == line->len || (q->pending.len >= GATHER_BYTES && q->pending.len - line->len < GATHER_BYTES)))
		pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
	if (!queued)
		atomic_fetch_add(&q->lost, 1);
	return queued;
}
