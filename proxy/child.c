/* proxy/child.c - the one command that `pgmoat run` starts. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

#define TOLD_MAX 1024

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

/* What was said into the pipe, all of it; false: it was closed without a word. */
static bool
hear(int fd, char *told)
{
	size_t len = 0;
	ssize_t n;

	while (len < TOLD_MAX - 1 && (n = read(fd, told + len, TOLD_MAX - 1 - len)) != 0) {
		if (n == -1 && errno != EINTR)
			return false;
		len += n > 0 ? (size_t)n : 0;
	}
	told[len] = '\0';
	return len > 0;
}

static _Noreturn void
be_child(pid_t parent, int go, int failed, const sigset_t *mask, const struct sigaction *chld, void (*exec)(void *, const char *),
    void *arg)
{
	char told[TOLD_MAX];
	int error;

	/* The parent may have gone before this took hold. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent || !hear(go, told))
		_exit(127);
	sigaction(SIGCHLD, chld, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	exec(arg, told);
	error = errno;
	while (write(failed, &error, sizeof(error)) == -1 && errno == EINTR)
		;
	_exit(error == ENOENT ? 127 : 126);
}

static void
block_signals(struct child *c, sigset_t *before)
{
	size_t i;

	sigemptyset(&c->signals);
	sigaddset(&c->signals, SIGCHLD);
	for (i = 0; i < nitems(passed_on); i++)
		sigaddset(&c->signals, passed_on[i]);
	sigprocmask(SIG_BLOCK, &c->signals, before);
}

bool
child_start(struct child *c, void (*exec)(void *arg, const char *told), void *arg, struct err *err)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, chld;
	int go[2], failed[2];
	pid_t parent = getpid();
	sigset_t before;

	if (pipe2(go, O_CLOEXEC) == -1)
		return err_set(err, "pipe: %s", strerror(errno));
	if (pipe2(failed, O_CLOEXEC) == -1) {
		err_set(err, "pipe: %s", strerror(errno));
		close(go[0]);
		close(go[1]);
		return false;
	}
	block_signals(c, &before);
	sigaction(SIGCHLD, &plain, &chld); /* ignored, it would take the status away */
	if ((c->pid = fork()) == 0) {
		close(go[1]);
		close(failed[0]);
		be_child(parent, go[0], failed[1], &before, &chld, exec, arg);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	if (c->pid != -1)
		return true;
	err_set(err, "fork: %s", strerror(errno));
	close(c->go);
	close(c->failed);
	return false;
}

static void
close_pipe(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

bool
child_go(struct child *c, const char *told)
{
	ssize_t n = 0;
	int error = 0;

	/* Shorter than a pipe is deep. When the child is gone already, SIGPIPE is the reader's: the caller ignores it. */
	if (write(c->go, told, strlen(told)) == -1)
		return false;
	close_pipe(&c->go);
	do
		n = read(c->failed, &error, sizeof(error));
	while (n == -1 && errno == EINTR);
	close_pipe(&c->failed);
	errno = error;
	return n == 0;
}

void
child_abandon(struct child *c)
{
	close_pipe(&c->go);
	close_pipe(&c->failed);
	while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
		;
}

/* A terminal sends Ctrl-C and Ctrl-\ to the child as well. */
static bool
from_terminal(const siginfo_t *info)
{
	return (info->si_signo == SIGINT || info->si_signo == SIGQUIT) && info->si_code == SI_KERNEL;
}

int
child_wait(struct child *c)
{
	siginfo_t info;
	int status;

	close_pipe(&c->go);
	close_pipe(&c->failed);
	for (;;) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (sigwaitinfo(&c->signals, &info) > 0 && info.si_signo != SIGCHLD && !from_terminal(&info))
			kill(c->pid, info.si_signo);
	}
}
