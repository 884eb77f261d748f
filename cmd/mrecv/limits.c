/*
 * What the file `limits` says to us, in one reading.
 */
#include "io/conf.h"
#include "mrecv.h"

enum { DAY = 86400 };

/* clang-format off */
static struct conf_row rows[] = {
	[MRECV_MESSAGE] =      { "message", UINT64_MAX, LIMIT_MESSAGE },
	[MRECV_FREE_SPACE] =   { "free-space", UINT64_MAX, LIMIT_FREE_SPACE },
	[MRECV_SESSION_TIME] = { "session-time", DAY, TIME_SMTP_SESSION },
	[MRECV_COMMAND_TIME] = { "command-time", DAY, TIME_SMTP_COMMAND },
	[MRECV_DATA_TIME] =    { "data-time", DAY, TIME_SMTP_DATA_BLOCK },
	[MRECV_FILTER_TIME] =  { "filter-time", DAY, TIME_FILTER },
	[MRECV_SINK_TIME] =    { "time-command", DAY, TIME_COMMAND },
	[MRECV_MILTER_TIME] =  { "milter-time", DAY, TIME_MILTER },
	[MRECV_DNS_TIME] =     { "dns-time", DAY, TIME_CLIENT_DNS },
	[MRECV_GREET_DELAY] =  { "greet-delay", TIME_SMTP_COMMAND, 0 },
	[MRECV_TARPIT_ERRORS] = { "tarpit-errors", DAY, LIMIT_TARPIT_ERRORS },
	[MRECV_TARPIT_DELAY] = { "tarpit-delay", DAY, 1 },
	[MRECV_MESSAGES_LOGIN] = { "messages-per-login", UINT32_MAX, 0 },
	[MRECV_RCPTS_LOGIN] = { "recipients-per-login", UINT32_MAX, 0 },
	[MRECV_MESSAGES_ADDRESS] = { "messages-per-address", UINT32_MAX, 0 },
	[MRECV_RCPTS_ADDRESS] = { "recipients-per-address", UINT32_MAX, 0 },
	[MRECV_MESSAGES_NETWORK] = { "messages-per-network", UINT32_MAX, 0 },
	[MRECV_RCPTS_NETWORK] = { "recipients-per-network", UINT32_MAX, 0 },
	[MRECV_GREYLIST_DELAY] = { "greylist-delay", DAY, TIME_GREYLIST },
	[MRECV_GREYLIST_RETRY] = { "greylist-retry", 30 * DAY, TIME_GREYLIST_RETRY },
	[MRECV_GREYLIST_KNOWN] = { "greylist-known", 400 * DAY, TIME_GREYLIST_KNOWN },
};
/* clang-format on */

void
limits_read(void)
{
	conf_limits(rows, sizeof(rows) / sizeof(rows[0]));
}

uint64_t
limit_of(enum mrecv_limit which)
{
	return rows[which].value;
}
