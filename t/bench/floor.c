/*
 * What the disk allows: N files of SIZE bytes created, written, renamed,
 * synced, and their folder synced, by W writers.
 * usage: floor DIR WRITERS FILES SIZE; prints files a second
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
work(const char *dir, int who, long n, size_t size)
{
	char *data = calloc(1, size), tmp[300], name[300];
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY);

	for (long i = 0; i < n; i++) {
		int fd;

		snprintf(tmp, sizeof(tmp), "%s/tmp.%d.%ld", dir, who, i);
		snprintf(name, sizeof(name), "%s/file.%d.%ld", dir, who, i);
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd == -1 || data == NULL ||
		    write(fd, data, size) != (ssize_t)size ||
		    rename(tmp, name) == -1 || fsync(fd) == -1 ||
		    fsync(dirfd) == -1)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

int
main(int argc, char *argv[])
{
	struct timespec a, b;
	char dir[250];
	int writers, status = 0, bad = 0;
	long files;

	if (argc != 5)
		return 64;
	writers = (int)strtol(argv[2], NULL, 10);
	files = strtol(argv[3], NULL, 10);
	snprintf(dir, sizeof(dir), "%s/floor.%ld", argv[1], (long)getpid());
	if (writers < 1 || mkdir(dir, 0700) == -1)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < writers; i++)
		if (fork() == 0)
			work(dir, i, files / writers,
			    (size_t)strtol(argv[4], NULL, 10));
	while (wait(&status) > 0)
		bad |= status;
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (bad != 0)
		return 1;
	printf("%.0f\n",
	    (double)files /
		((double)(b.tv_sec - a.tv_sec) +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e9));
	return 0;
}
