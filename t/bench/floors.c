/*
 * What the file system takes for a Maildir: a pass over all its files.
 * usage: floors DIR; prints "MILLISECONDS WHAT" lines
 *
 * Links are made in DIR/tmp, and removed again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char (*names)[128];
static size_t count;
static int cur, tmp;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
say(double began, const char *what)
{
	printf("%.3f %s\n", now_ms() - began, what);
}

static void
read_names(void)
{
	DIR *d = fdopendir(dup(cur));
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (count % 1024 == 0)
			names = realloc(names, (count + 1024) * 128);
		if (names == NULL)
			exit(1);
		snprintf(names[count++], 128, "%s", e->d_name);
	}
}

static void
pass_over(size_t n)
{
	static char buf[1 << 20];
	struct stat st;
	double began = now_ms();
	long bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= fstatat(cur, names[i], &st, 0);
	say(began, "stat of each");
	began = now_ms();
	for (size_t i = 0; i < n; i++) {
		int fd = openat(cur, names[i], O_RDONLY);

		bad |= read(fd, buf, sizeof(buf)) <= 0;
		close(fd);
	}
	say(began, "open, read all, close of each");
	if (bad != 0)
		exit(1);
}

static void
links(void)
{
	size_t n = count < 1000 ? count : 1000;
	double began = now_ms();
	long bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= linkat(cur, names[i], tmp, names[i], 0);
	say(began, "link of 1,000");
	began = now_ms();
	for (size_t i = 0; i < n; i++) {
		char to[140];

		snprintf(to, sizeof(to), "%sF", names[i]);
		bad |= renameat(tmp, names[i], tmp, to);
		strcpy(names[i], to);
	}
	say(began, "rename of 1,000");
	began = now_ms();
	for (size_t i = 0; i < n; i++)
		bad |= unlinkat(tmp, names[i], 0);
	say(began, "unlink of 1,000");
	if (bad != 0)
		exit(1);
}

int
main(int argc, char *argv[])
{
	double began;

	if (argc != 2 || chdir(argv[1]) == -1)
		return 64;
	cur = open("cur", O_RDONLY | O_DIRECTORY);
	tmp = open("tmp", O_RDONLY | O_DIRECTORY);
	began = now_ms();
	read_names();
	say(began, "readdir");
	pass_over(count);
	links();
	return 0;
}
