/* A device on the Azure IoT device SDK for C, driven by JSON lines: commands on stdin, all that an application can see on stdout.
 *
 * It adds nothing, retries nothing, swallows nothing. The SDK's low-level client (`IoTHubDeviceClient_LL`) is used, in one thread that
 * works as the SDK's own would: a DoWork every millisecond. The convenience layer puts the same core behind a lock which that thread
 * holds while it works, so that a send would wait for it; here commands wait in a queue instead, and callbacks are reported from
 * within the DoWork that makes them. Another thread reads stdin: it answers what is no command also while the SDK blocks.
 *
 * Without exceptions, the class of an error is the value that the SDK gave, and its message that value's type. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <parson.h>

#include "azure_c_shared_utility/shared_util_options.h"
#include "azure_c_shared_utility/xlogging.h"
#include "iothub.h"
#include "iothub_client_options.h"
#include "iothub_client_version.h"
#include "iothub_device_client_ll.h"
#include "iothub_message.h"
#include "iothubtransportamqp.h"
#include "iothubtransportamqp_websockets.h"
#include "iothubtransportmqtt.h"
#include "iothubtransportmqtt_websockets.h"

#ifdef __clang__
#define COMPILER "Clang " __clang_version__
#else
#define COMPILER "GCC " __VERSION__
#endif

enum { SETTLE_S = 5, CLOSE_S = 10 }; /* for calls under way, and then for the SDK's own close, which has no limit */

static const struct {
    const char *name;
    IOTHUB_CLIENT_TRANSPORT_PROVIDER provider;
} TRANSPORTS[] = {
    {"mqtt", MQTT_Protocol},
    {"mqtt-ws", MQTT_WebSocket_Protocol},
    {"amqp", AMQP_Protocol},
    {"amqp-ws", AMQP_Protocol_over_WebSocketsTls},
};
static const char *const CAPABILITIES[] = {"lifetime", "own-token", "x509", "proxy", "twin"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static FILE *events; /* the protocol's stdout; stdio lets one line at a time in */

/* The device: all of it belongs to the thread that works. */
static IOTHUB_DEVICE_CLIENT_LL_HANDLE client;
static JSON_Value *settings; /* what `open` made use of, until it is reported */
static unsigned long under_way;

/* Commands, from the thread that reads to the one that works. `closed`: the latter is done. */
struct command {
    JSON_Value *json;
    struct command *next;
};
static struct command *first, **last = &first;
static int closed;
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct timespec now_plus(time_t seconds, long nanoseconds)
{
    struct timespec then;
    clock_gettime(CLOCK_REALTIME, &then);
    then.tv_sec += seconds + (then.tv_nsec + nanoseconds) / 1000000000L;
    then.tv_nsec = (then.tv_nsec + nanoseconds) % 1000000000L;
    return then;
}

static int passed(struct timespec then)
{
    struct timespec now = now_plus(0, 0);
    return now.tv_sec > then.tv_sec || (now.tv_sec == then.tv_sec && now.tv_nsec >= then.tv_nsec);
}

/* Begin an event; `emit` ends it. */
static JSON_Object *event(const char *name)
{
    struct timespec now = now_plus(0, 0);
    JSON_Object *fields = json_value_get_object(json_value_init_object());
    json_object_set_string(fields, "event", name);
    json_object_set_number(fields, "t", (double)now.tv_sec + (double)now.tv_nsec / 1e9);
    return fields;
}

static void emit(JSON_Object *fields)
{
    JSON_Value *value = json_object_get_wrapping_value(fields);
    char *line = json_serialize_to_string(value);
    fprintf(events, "%s\n", line);
    fflush(events);
    json_free_serialized_string(line);
    json_value_free(value);
}

static void set_error(JSON_Object *fields, const char *class, const char *message)
{
    JSON_Value *chain = json_value_init_array(), *link = json_value_init_object();
    json_object_set_string(json_value_get_object(link), "class", class);
    json_object_set_string(json_value_get_object(link), "message", message);
    json_array_append_value(json_value_get_array(chain), link);
    json_object_set_value(fields, "error", chain);
}

static void emit_failure(const char *name, const char *class, const char *message)
{
    JSON_Object *fields = event(name);
    set_error(fields, class, message);
    emit(fields);
}

/* The SDK's words without the prefix that all of them share. */
static const char *word(const char *enumerator)
{
    static const char PREFIX[] = "IOTHUB_CLIENT_CONNECTION_";
    return strncmp(enumerator, PREFIX, sizeof PREFIX - 1) ? enumerator : enumerator + sizeof PREFIX - 1;
}

static void on_status(IOTHUB_CLIENT_CONNECTION_STATUS status, IOTHUB_CLIENT_CONNECTION_STATUS_REASON reason, void *context)
{
    (void)context;
    JSON_Object *fields = event("status");
    json_object_set_string(fields, "status", word(MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONNECTION_STATUS, status)));
    json_object_set_string(fields, "reason", word(MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONNECTION_STATUS_REASON, reason)));
    emit(fields);
    if (status == IOTHUB_CLIENT_CONNECTION_AUTHENTICATED && settings) {
        fields = event("opened");
        json_object_set_value(fields, "settings", settings);
        settings = NULL;
        emit(fields);
    }
}

static void on_sent(IOTHUB_CLIENT_CONFIRMATION_RESULT result, void *id)
{
    under_way--;
    JSON_Object *fields = event(result == IOTHUB_CLIENT_CONFIRMATION_OK ? "sent" : "send_failed");
    json_object_set_number(fields, "id", (double)(intptr_t)id);
    if (result != IOTHUB_CLIENT_CONFIRMATION_OK)
        set_error(fields, MU_ENUM_TO_STRING(IOTHUB_CLIENT_CONFIRMATION_RESULT, result), "IOTHUB_CLIENT_CONFIRMATION_RESULT");
    emit(fields);
}

static IOTHUBMESSAGE_DISPOSITION_RESULT on_message(IOTHUB_MESSAGE_HANDLE message, void *context)
{
    (void)context;
    const unsigned char *body;
    size_t size = 0;
    const char *text = IoTHubMessage_GetString(message), *id = IoTHubMessage_GetMessageId(message);
    if (text)
        size = strlen(text);
    else
        IoTHubMessage_GetByteArray(message, &body, &size);
    JSON_Object *fields = event("c2d");
    if (!id || json_object_set_string(fields, "message_id", id) != JSONSuccess)
        json_object_set_null(fields, "message_id");
    json_object_set_number(fields, "size", (double)size);
    emit(fields);
    return IOTHUBMESSAGE_ACCEPTED;
}

static int on_method(const char *name, const unsigned char *payload, size_t size, unsigned char **response, size_t *response_size, void *context)
{
    (void)payload, (void)size, (void)context;
    JSON_Object *fields = event("method");
    json_object_set_string(fields, "name", name);
    emit(fields);
    *response = (unsigned char *)strdup("{}"); /* the SDK frees it */
    *response_size = 2;
    return 200;
}

/* The whole twin comes after each connect, a patch with each change. */
static void on_twin(DEVICE_TWIN_UPDATE_STATE state, const unsigned char *payload, size_t size, void *context)
{
    (void)context;
    char *text = strndup((const char *)payload, size);
    JSON_Value *twin = json_parse_string(text);
    const char *path = state == DEVICE_TWIN_UPDATE_COMPLETE ? "desired.$version" : "$version";
    JSON_Value *version = json_object_dotget_value(json_value_get_object(twin), path);
    JSON_Object *fields = event("twin");
    json_object_set_value(fields, "version", version ? json_value_deep_copy(version) : json_value_init_null());
    json_object_set_string(fields, "update", MU_ENUM_TO_STRING(DEVICE_TWIN_UPDATE_STATE, state));
    emit(fields);
    json_value_free(twin);
    free(text);
}

/* One line of the SDK's log: `Error: ` or `Info: `, as the SDK's own printer begins it, without time, file and function. */
__attribute__((format(printf, 6, 7))) static void on_log(
    LOG_CATEGORY category, const char *file, const char *function, int line, unsigned int options, const char *format, ...)
{
    (void)file, (void)function, (void)line, (void)options;
    char *text;
    va_list values;
    va_start(values, format);
    if (vasprintf(&text, format, values) >= 0) {
        for (char *at = text; (at = strpbrk(at, "\r\n")) != NULL;)
            *at = ' ';
        fprintf(stderr, "%s: %s\n", category == AZ_LOG_ERROR ? "Error" : "Info", text);
        free(text);
    }
    va_end(values);
}

/* Return the SDK's first refusal. */
#define TRY(call)                              \
    do {                                       \
        IOTHUB_CLIENT_RESULT result = (call);  \
        if (result != IOTHUB_CLIENT_OK)        \
            return result;                     \
    } while (0)

/* Set what `open` asks for, and note it in `used`. */
static IOTHUB_CLIENT_RESULT configure(const JSON_Object *command, JSON_Object *used)
{
    const char *transport = json_object_get_string(command, "transport"), *text;
    json_object_set_string(used, "transport", transport);
    TRY(IoTHubDeviceClient_LL_SetConnectionStatusCallback(client, on_status, NULL));
    if ((text = json_object_get_string(command, "ca_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_TRUSTED_CERT, text));
    if ((text = json_object_get_string(command, "cert_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_X509_CERT, text));
    if ((text = json_object_get_string(command, "key_pem")) != NULL)
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_X509_PRIVATE_KEY, text));
    if (json_object_has_value_of_type(command, "lifetime_s", JSONNumber)) {
        size_t lifetime = (size_t)json_object_get_number(command, "lifetime_s");
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_SAS_TOKEN_LIFETIME, &lifetime));
        json_object_set_number(used, "lifetime_s", (double)lifetime);
    }
    JSON_Object *proxy = json_object_get_object(command, "proxy");
    if (proxy && strstr(transport, "-ws")) { /* the others take no such option */
        HTTP_PROXY_OPTIONS way = {json_object_get_string(proxy, "host"), (int)json_object_get_number(proxy, "port"), NULL, NULL};
        TRY(IoTHubDeviceClient_LL_SetOption(client, OPTION_HTTP_PROXY, &way));
        json_object_set_value(used, "proxy", json_value_deep_copy(json_object_get_wrapping_value(proxy)));
    }
    if (json_object_get_boolean(command, "c2d") == 1) {
        TRY(IoTHubDeviceClient_LL_SetMessageCallback(client, on_message, NULL));
        json_object_set_boolean(used, "c2d", 1);
    }
    if (json_object_get_boolean(command, "methods") == 1) {
        TRY(IoTHubDeviceClient_LL_SetDeviceMethodCallback(client, on_method, NULL));
        json_object_set_boolean(used, "methods", 1);
    }
    if (json_object_get_boolean(command, "twin") == 1) {
        TRY(IoTHubDeviceClient_LL_SetDeviceTwinCallback(client, on_twin, NULL));
        json_object_set_boolean(used, "twin", 1);
    }
    return IOTHUB_CLIENT_OK;
}

/* Make the client. It connects with the first DoWork, and says by its status when it is connected; then it listens, too. */
static void open_client(const JSON_Object *command)
{
    const char *transport = json_object_get_string(command, "transport");
    size_t at = 0;
    while (at < COUNT(TRANSPORTS) && strcmp(TRANSPORTS[at].name, transport))
        at++;
    if (at == COUNT(TRANSPORTS)) {
        emit_failure("open_failed", "EINVAL", "no such transport");
        return;
    }
    client = IoTHubDeviceClient_LL_CreateFromConnectionString(json_object_get_string(command, "connection_string"), TRANSPORTS[at].provider);
    if (!client) {
        emit_failure("open_failed", "NULL", "IOTHUB_DEVICE_CLIENT_LL_HANDLE");
        return;
    }
    settings = json_value_init_object();
    IOTHUB_CLIENT_RESULT result = configure(command, json_value_get_object(settings));
    if (result != IOTHUB_CLIENT_OK) {
        emit_failure("open_failed", MU_ENUM_TO_STRING(IOTHUB_CLIENT_RESULT, result), "IOTHUB_CLIENT_RESULT");
        IoTHubDeviceClient_LL_Destroy(client);
        client = NULL;
    }
}

static void send_message(intptr_t id)
{
    char number[24], body[32];
    snprintf(number, sizeof number, "%jd", (intmax_t)id);
    snprintf(body, sizeof body, "{\"id\":%s}", number);
    IOTHUB_MESSAGE_HANDLE message = IoTHubMessage_CreateFromString(body);
    IoTHubMessage_SetMessageId(message, number);
    IOTHUB_CLIENT_RESULT result = IoTHubDeviceClient_LL_SendEventAsync(client, message, on_sent, (void *)id);
    IoTHubMessage_Destroy(message);
    if (result == IOTHUB_CLIENT_OK) {
        under_way++;
        return;
    }
    JSON_Object *fields = event("send_failed");
    json_object_set_number(fields, "id", (double)id);
    set_error(fields, MU_ENUM_TO_STRING(IOTHUB_CLIENT_RESULT, result), "IOTHUB_CLIENT_RESULT");
    emit(fields);
}

/* The next command, for which a millisecond is waited where there is a client to work for, else as long as it takes. */
static JSON_Value *next_command(void)
{
    struct timespec then = now_plus(0, 1000000L);
    JSON_Value *json = NULL;
    pthread_mutex_lock(&queue);
    while (!first && (client ? pthread_cond_timedwait(&changed, &queue, &then) : pthread_cond_wait(&changed, &queue)) == 0)
        ;
    struct command *command = first;
    if (command) {
        json = command->json;
        first = command->next;
        if (!first)
            last = &first;
        free(command);
    }
    pthread_mutex_unlock(&queue);
    return json;
}

/* Let calls under way end, close, report. */
static void close_client(void)
{
    struct timespec limit = now_plus(SETTLE_S, 0);
    while (under_way && !passed(limit)) {
        IoTHubDeviceClient_LL_DoWork(client);
        usleep(1000);
    }
    IoTHubDeviceClient_LL_Destroy(client);
    emit(event("closed"));
}

static void *work(void *unused)
{
    for (int going = 1; going;) {
        JSON_Value *json = next_command();
        const JSON_Object *command = json_value_get_object(json);
        const char *cmd = json_object_get_string(command, "cmd");
        if (cmd && !strcmp(cmd, "open"))
            open_client(command);
        else if (cmd && !strcmp(cmd, "send"))
            send_message((intptr_t)json_object_get_number(command, "id"));
        else if (cmd)
            going = 0;
        json_value_free(json);
        if (client && going)
            IoTHubDeviceClient_LL_DoWork(client);
    }
    if (client)
        close_client();
    pthread_mutex_lock(&queue);
    closed = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&queue);
    return unused;
}

static void push(JSON_Value *json)
{
    struct command *command = malloc(sizeof *command);
    *command = (struct command){json, NULL};
    pthread_mutex_lock(&queue);
    *last = command;
    last = &command->next;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&queue);
}

/* What is wrong with a command, or NULL. `opened`: an `open` came before. */
static const char *problem(const JSON_Object *command, const char *cmd, int opened)
{
    if (!cmd)
        return "no command";
    if (!strcmp(cmd, "open")) {
        if (opened)
            return "it is open";
        return json_object_get_string(command, "transport") && json_object_get_string(command, "connection_string")
                   ? NULL
                   : "transport or connection_string is missing";
    }
    if (strcmp(cmd, "send"))
        return "unknown";
    if (!opened)
        return "it is not open";
    return json_object_has_value_of_type(command, "id", JSONNumber) ? NULL : "id is missing";
}

/* Read commands until `close` or the end of stdin; hand on those that are. */
static void serve(void)
{
    char *line = NULL;
    size_t room = 0;
    int opened = 0;
    while (getline(&line, &room, stdin) >= 0) {
        JSON_Value *json = json_parse_string(line);
        const JSON_Object *command = json_value_get_object(json);
        const char *cmd = json_object_get_string(command, "cmd");
        if (cmd && !strcmp(cmd, "close"))
            break;
        const char *wrong = problem(command, cmd, opened);
        if (!wrong) {
            opened = 1;
            push(json);
            continue;
        }
        JSON_Object *fields = event("bad_command");
        if (cmd)
            json_object_set_string(fields, "cmd", cmd);
        else
            json_object_set_null(fields, "cmd");
        set_error(fields, "EINVAL", wrong);
        emit(fields);
        json_value_free(json);
    }
    push(json_parse_string("{\"cmd\":\"close\"}"));
}

static JSON_Value *list(const char *const *names, size_t count, size_t stride)
{
    JSON_Value *array = json_value_init_array();
    for (size_t at = 0; at < count; at++, names = (const char *const *)((const char *)names + stride))
        json_array_append_string(json_value_get_array(array), *names);
    return array;
}

static void say_hello(void)
{
    char runtime[256];
    snprintf(runtime, sizeof runtime, "%s, %s", COMPILER, OpenSSL_version(OPENSSL_VERSION));
    JSON_Object *fields = event("hello");
    json_object_set_number(fields, "protocol", 1);
    json_object_set_string(fields, "sdk", "c");
    json_object_set_string(fields, "sdk_version", IoTHubClient_GetVersionString());
    json_object_set_string(fields, "runtime", runtime);
    json_object_set_value(fields, "transports", list(&TRANSPORTS[0].name, COUNT(TRANSPORTS), sizeof TRANSPORTS[0]));
    json_object_set_value(fields, "capabilities", list(CAPABILITIES, COUNT(CAPABILITIES), sizeof CAPABILITIES[0]));
    emit(fields);
}

int main(void)
{
    events = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), "w"); /* whoever else prints, prints to stderr */
    if (!events || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || IoTHub_Init() != 0)
        return EXIT_FAILURE;
    xlogging_set_log_function(on_log);
    say_hello();
    pthread_t worker;
    if (pthread_create(&worker, NULL, work, NULL) != 0)
        return EXIT_FAILURE;
    serve();
    struct timespec limit = now_plus(SETTLE_S + CLOSE_S, 0);
    pthread_mutex_lock(&queue);
    while (!closed && pthread_cond_timedwait(&changed, &queue, &limit) != ETIMEDOUT)
        ;
    if (!closed)
        emit_failure("close_failed", "ETIMEDOUT", "IoTHubDeviceClient_LL_Destroy did not return");
    _exit(EXIT_SUCCESS); /* the SDK's threads and handles, where it blocks, end here */
}
