// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Tells what a controller did to an object, for <c>kubectl describe</c> and <c>kubectl get events</c>.</summary>
/// <remarks>The same words about the same object are one event that counts. What is remembered of them is limited.</remarks>
internal sealed partial class EventLog(KubernetesClient client, TimeProvider clock, Random random, ILogger log, string component)
{
    /// <summary>Events whose repetition is noticed; the oldest are forgotten first.</summary>
    public const int MaxRemembered = 1024;

    private const int MaxMessageCharacters = 1024;

    private readonly Lock _turn = new();
    private readonly Dictionary<string, Told> _told = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>An event that cannot be written is not worth failing for: the work it tells of is done.</summary>
    /// <param name="part">The field that it is about, as in <c>spec.containers{name}</c>; null for the whole object.</param>
    public async Task TellAsync(JsonObject about, string type, string reason, string message, CancellationToken ct, string? part = null)
    {
        var ns = about.Namespace().Length == 0 ? "default" : about.Namespace();
        message = message.Length > MaxMessageCharacters ? message[..MaxMessageCharacters] : message;
        var words = $"{about.Kind()}/{ns}/{about.Name()}/{about.Uid()}/{part}/{type}/{reason}/{message}";
        try
        {
            Told? before;
            lock (_turn)
            {
                before = _told.GetValueOrDefault(words);
            }

            if (before is null || !await RepeatAsync(before, ns, ct))
            {
                Remember(words, await FirstAsync(about, ns, (type, reason, message, part), ct));
            }
        }
        catch (Exception failed) when (failed is KubernetesException or HttpRequestException or IOException or TimeoutException)
        {
            LogUntold(log, reason, about.Name(), failed.Message);
        }
    }

    private void Remember(string words, Told told)
    {
        lock (_turn)
        {
            if (!_told.ContainsKey(words))
            {
                _order.Enqueue(words);
            }

            _told[words] = told;
            while (_order.Count > MaxRemembered)
            {
                _told.Remove(_order.Dequeue());
            }
        }
    }

    private async Task<bool> RepeatAsync(Told before, string ns, CancellationToken ct)
    {
        var again = new JsonObject { ["count"] = ++before.Count, ["lastTimestamp"] = Conditions.Time(clock.GetUtcNow()) };
        try
        {
            await client.PatchAsync(Kinds.Event, ns, before.Name, again, ct);
            return true;
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            return false;
        }
    }

    private async Task<Told> FirstAsync(JsonObject about, string ns, (string Type, string Reason, string Message, string? Part) words, CancellationToken ct)
    {
        var now = Conditions.Time(clock.GetUtcNow());
        var name = string.Create(CultureInfo.InvariantCulture, $"{about.Name()}.{Number():x16}");
        var involved = new JsonObject
        {
            ["apiVersion"] = about.Text("apiVersion"),
            ["kind"] = about.Kind(),
            ["name"] = about.Name(),
            ["uid"] = about.Uid(),
            ["resourceVersion"] = about.ResourceVersion(),
        };
        if (about.Namespace().Length > 0)
        {
            involved["namespace"] = about.Namespace();
        }

        if (words.Part is not null)
        {
            involved["fieldPath"] = words.Part;
        }

        await client.CreateAsync(Kinds.Event, ns, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
            ["involvedObject"] = involved,
            ["type"] = words.Type,
            ["reason"] = words.Reason,
            ["message"] = words.Message,
            ["source"] = new JsonObject { ["component"] = component },
            ["reportingComponent"] = component,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["count"] = 1,
        }, ct);
        return new Told(name);
    }

    private long Number()
    {
        lock (_turn)
        {
            return random.NextInt64();
        }
    }

    [LoggerMessage(5104, LogLevel.Debug, "The event {Reason} of {Name} could not be written. {Message}")]
    private static partial void LogUntold(ILogger log, string reason, string name, string message);

    private sealed record Told(string Name)
    {
        public int Count { get; set; } = 1;
    }
}
