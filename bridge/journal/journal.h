/*
 * The journal on disk (journal_contents.h): what must outlive a crash of the bridge. Each change is
 * appended with one write() before it takes effect outside, so that a kill -9 loses nothing; it is
 * not fsynced, for the sandbox's disk does not outlive a power cut either. The file is rewritten
 * when it holds far more than what is still owed.
 *
 * A journal that cannot be written, or is full, is said once in the log; the bridge goes on without. The journal
 * owns its contents. One thread.
 */
#ifndef BRIDGE_JOURNAL_JOURNAL_H
#define BRIDGE_JOURNAL_JOURNAL_H

#include "bridge/journal/journal_contents.h"
#include "common/log.h"

struct journal;

/* Reads what the file holds for this sandbox and session. NULL only when out of memory. */
struct journal *journal_open(const char *path, const char *sandbox_id, const char *session_id,
                             struct log *log);
void journal_close(struct journal *journal);

const struct journal_contents *journal_contents(const struct journal *journal);

/* `text` is the event's JSON. */
void journal_event_added(struct journal *journal, const char *ack_id, const char *text);
void journal_event_sent(struct journal *journal, const char *ack_id);
void journal_event_gone(struct journal *journal, const char *ack_id);
void journal_acks_expected(struct journal *journal);

void journal_prompt_taken(struct journal *journal, const char *message_id, const cJSON *command);
void journal_prompt_posted(struct journal *journal, const char *message_id, const char *session_id,
                           const char *user_message_id, uint64_t started_wall_ms);
void journal_prompt_ended(struct journal *journal, const char *message_id);

/* A push begins that must be answered. `answer` is what the next bridge says of it if this one dies;
 * it must hold no credentials. An event with the ackId "push_complete:<id>" or "push_error:<id>" ends
 * it. */
void journal_push_started(struct journal *journal, const char *push_id, const cJSON *answer);

#endif
