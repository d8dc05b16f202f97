#include "bridge/prompt/prompt_queue.h"

#include "bridge/control_plane/command.h"

#include <string.h>

int prompt_queue_add(struct prompt_queue *queue, cJSON *command)
{
    if (queue->count == PROMPT_QUEUE_MAX)
        return -1;
    queue->commands[(queue->first + queue->count) % PROMPT_QUEUE_MAX] = command;
    queue->count++;
    return 0;
}

cJSON *prompt_queue_take(struct prompt_queue *queue)
{
    cJSON *command;

    if (queue->count == 0)
        return NULL;
    command = queue->commands[queue->first];
    queue->first = (queue->first + 1) % PROMPT_QUEUE_MAX;
    queue->count--;
    return command;
}

bool prompt_queue_has(const struct prompt_queue *queue, const char *message_id)
{
    for (size_t i = 0; i < queue->count; i++) {
        const cJSON *command = queue->commands[(queue->first + i) % PROMPT_QUEUE_MAX];

        if (strcmp(command_prompt(command).message_id, message_id) == 0)
            return true;
    }
    return false;
}

void prompt_queue_clear(struct prompt_queue *queue)
{
    cJSON *command;

    while ((command = prompt_queue_take(queue)))
        cJSON_Delete(command);
}
