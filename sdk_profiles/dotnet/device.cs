// A device on the Azure IoT device SDK for .NET, driven by JSON lines: commands on stdin, everything an application can see on stdout.
using System.Diagnostics.Tracing;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Azure.Devices.Client;
using Microsoft.Azure.Devices.Client.Transport.Mqtt;

var sdkVersion = typeof(DeviceClient).Assembly.GetName().Version!.ToString(3);
Out.Emit("hello", new()
{
    ["protocol"] = 1, ["sdk"] = "dotnet", ["sdk_version"] = sdkVersion, ["runtime"] = RuntimeInformation.FrameworkDescription,
    ["transports"] = new JsonArray("mqtt", "mqtt-ws", "amqp", "amqp-ws", "https"),
    ["capabilities"] = new JsonArray("lifetime", "margin-percent", "own-token", "x509"),
});
using var log = new SdkLog();
TaskScheduler.UnobservedTaskException += (_, e) => Out.Error("unobserved_task_exception", e.Exception.InnerException ?? e.Exception);

Device? device = null;
string? line;
while ((line = Console.In.ReadLine()) != null)
{
    JsonObject c;
    try { c = JsonNode.Parse(line)!.AsObject(); }
    catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException) { Out.Error("bad_command", e); continue; }
    switch ((string?)c["cmd"])
    {
        case "open" when device == null:
            try { device = new Device(c); } catch (Exception e) { Out.Error("open_failed", e); break; }
            _ = device.Open();
            break;
        case "send" when device != null && c["id"] != null: device.Send((long)c["id"]!); break;
        case "close": if (device != null) await device.Close(); return 0;
        default: Out.Emit("bad_command", new() { ["cmd"] = (string?)c["cmd"] }); break;
    }
}
if (device != null) await device.Close();
return 0;

sealed class Device
{
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);
    private readonly DeviceClient client;
    private readonly bool c2d, methods;
    private readonly JsonObject settings = new();
    private readonly List<Task> sends = [];

    public Device(JsonObject c)
    {
        ITransportSettings transport = (string)c["transport"]! switch
        {
            "mqtt" => new MqttTransportSettings(TransportType.Mqtt_Tcp_Only),
            "mqtt-ws" => new MqttTransportSettings(TransportType.Mqtt_WebSocket_Only),
            "amqp" => new AmqpTransportSettings(TransportType.Amqp_Tcp_Only),
            "amqp-ws" => new AmqpTransportSettings(TransportType.Amqp_WebSocket_Only),
            "https" => new Http1TransportSettings(),
            var t => throw new ArgumentException($"unknown transport {t}"),
        };
        var options = new ClientOptions();
        if (c["lifetime_s"] is { } life) options.SasTokenTimeToLive = TimeSpan.FromSeconds((double)life); // JSON writes 20 as 20.0
        if (c["margin_percent"] is { } pct) options.SasTokenRenewalBuffer = (int)(double)pct;
        if (c["pfx"] is { } pfx)
        {
            var certificate = new X509Certificate2((string)pfx!, (string?)c["pfx_password"]);
            var auth = new DeviceAuthenticationWithX509Certificate((string)c["device_id"]!, certificate);
            client = DeviceClient.Create((string)c["host"]!, auth, new[] { transport }, options);
        }
        else client = DeviceClient.CreateFromConnectionString((string)c["connection_string"]!, new[] { transport }, options);
        client.SetConnectionStatusChangesHandler((status, reason) =>
            Out.Emit("status", new() { ["status"] = status.ToString(), ["reason"] = reason.ToString() }));
        c2d = c["c2d"] is { } n && (bool)n; methods = c["methods"] is { } m && (bool)m;
        foreach (var name in new[] { "transport", "lifetime_s", "margin_percent", "c2d", "methods" })
            if (c[name] is { } value) settings[name] = value.DeepClone();
    }

    public async Task Open()
    {
        try
        {
            await client.OpenAsync();
            if (c2d) await client.SetReceiveMessageHandlerAsync(async (message, _) =>
            {
                Out.Emit("c2d", new() { ["message_id"] = message.MessageId, ["size"] = message.GetBytes().Length });
                await client.CompleteAsync(message);
            }, new object());
            if (methods) await client.SetMethodDefaultHandlerAsync((request, _) =>
            {
                Out.Emit("method", new() { ["name"] = request.Name });
                return Task.FromResult(new MethodResponse(Encoding.UTF8.GetBytes("{}"), 200));
            }, new object());
            Out.Emit("opened", new() { ["settings"] = settings });
        }
        catch (Exception e) { Out.Error("open_failed", e); }
    }

    public void Send(long id) => sends.Add(SendAsync(id));

    private async Task SendAsync(long id)
    {
        using var message = new Message(Encoding.UTF8.GetBytes($"{{\"id\":{id}}}")) { MessageId = id.ToString() };
        try { await client.SendEventAsync(message); Out.Emit("sent", new() { ["id"] = id }); }
        catch (Exception e) { Out.Error("send_failed", e, id); }
    }

    // A send still in flight at CloseAsync fails with TimeoutException although the hub has the message: settle first.
    public async Task Close()
    {
        await Task.WhenAny(Task.WhenAll(sends), Task.Delay(SettleTime));
        try { await client.CloseAsync(); Out.Emit("closed", new()); }
        catch (Exception e) { Out.Error("close_failed", e); }
        client.Dispose();
    }
}

// The SDK logs to an EventSource and nowhere else. 4 = info, 5 = error, 21 = a token was made; 1 and 2 (enter, exit) stay off.
sealed class SdkLog : EventListener
{
    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == "Microsoft-Azure-Devices-Device-Client") EnableEvents(source, EventLevel.Informational, (EventKeywords)~0x4L);
    }

    protected override void OnEventWritten(EventWrittenEventArgs e)
    {
        if (e.EventId is not (4 or 5 or 21)) return;
        var parts = (e.Payload ?? new([])).Select(p => (p?.ToString() ?? "").Split('\n')[0].TrimEnd('\r'));
        Console.Error.WriteLine($"{e.EventId} {e.Level} {string.Join(" | ", parts)}");
    }
}

static class Out
{
    private static readonly object gate = new();
    private static readonly TextWriter stdout = Console.Out;

    // Standard output belongs to the protocol: whatever the SDK or the runtime prints goes to standard error.
    static Out() => Console.SetOut(Console.Error);

    public static void Emit(string name, JsonObject fields)
    {
        var o = new JsonObject { ["event"] = name, ["t"] = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds };
        foreach (var (key, value) in fields.ToList()) { fields.Remove(key); o[key] = value; }
        lock (gate) { stdout.WriteLine(o.ToJsonString()); stdout.Flush(); }
    }

    public static void Error(string name, Exception e, long? id = null)
    {
        var chain = new JsonArray();
        for (Exception? x = e; x != null; x = x.InnerException)
            chain.Add(new JsonObject { ["class"] = x.GetType().FullName, ["message"] = x.Message.Split('\n')[0].TrimEnd('\r') });
        var fields = new JsonObject { ["error"] = chain };
        if (e is Microsoft.Azure.Devices.Client.Exceptions.IotHubException hub) { fields["transient"] = hub.IsTransient; fields["tracking_id"] = hub.TrackingId; }
        if (id != null) fields["id"] = id;
        Emit(name, fields);
    }
}
