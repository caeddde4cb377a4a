// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Control.Authority;

/// <summary>Keeps the root certificate in a ConfigMap of every namespace, where applications outside the mesh look for it.</summary>
public sealed partial class RootPublisher
{
    public const string ConfigMapName = "istio-ca-root-cert";
    public const string Key = "root-cert.pem";
    public const string LabelSelector = "istio.io/config=true";
    private readonly KubernetesClient _client;
    private readonly string _rootPem;
    private readonly TimeProvider _time;
    private readonly ILogger<RootPublisher> _log;
    private readonly Channel<string> _due = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, bool> _queued = new();
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), new Random());

    public RootPublisher(KubernetesClient client, string rootPem, TimeProvider time, ILogger<RootPublisher> log)
    {
        _client = client;
        _rootPem = rootPem;
        _time = time;
        _log = log;
    }

    /// <summary>Says that a namespace exists, or that its ConfigMap may have changed; cheap to say again.</summary>
    public void Publish(string ns)
    {
        if (_queued.TryAdd(ns, true))
        {
            _due.Writer.TryWrite(ns);
        }
    }

    /// <summary>Puts a ConfigMap right that somebody has changed or deleted.</summary>
    public void Repair(Change change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.Object.Name() == ConfigMapName && (change.Type == ChangeType.Deleted || !IsRight(change.Object)))
        {
            Publish(change.Object.Namespace());
        }
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var ns in _due.Reader.ReadAllAsync(cancellation))
        {
            _queued.TryRemove(ns, out _);
            try
            {
                await WriteAsync(ns, cancellation);
                _backoff.Reset();
            }
            catch (KubernetesException error) when (error.IsNotFound || error.Reason == "Forbidden")
            {
                // The namespace is gone or going, or the cluster's operator keeps us out: nothing that trying again would change.
                LogSkipped(ns, error.Message);
            }
            catch (Exception error) when (error is HttpRequestException or KubernetesException or TimeoutException or IOException)
            {
                var delay = _backoff.Next();
                LogFailed(ns, error.Message, delay);
                await Task.Delay(delay, _time, cancellation);
                Publish(ns);
            }
        }
    }

    private bool IsRight(JsonObject configMap) => configMap.Text("data", Key) == _rootPem;

    private async Task WriteAsync(string ns, CancellationToken cancellation)
    {
        var configMap = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject
            {
                ["name"] = ConfigMapName,
                ["labels"] = new JsonObject { ["istio.io/config"] = "true" },
            },
            ["data"] = new JsonObject { [Key] = _rootPem },
        };
        try
        {
            await _client.CreateAsync(Kinds.ConfigMap, ns, configMap, cancellation);
        }
        catch (KubernetesException error) when (error.IsAlreadyExists)
        {
            var present = await _client.GetAsync(Kinds.ConfigMap, ns, ConfigMapName, cancellation);
            if (!IsRight(present))
            {
                var patch = new JsonObject { ["data"] = new JsonObject { [Key] = _rootPem } };
                await _client.PatchAsync(Kinds.ConfigMap, ns, ConfigMapName, patch, cancellation);
            }
        }
    }

    [LoggerMessage(1011, LogLevel.Debug, "The root certificate is not published in namespace '{Ns}': {Reason}")]
    private partial void LogSkipped(string ns, string reason);

    [LoggerMessage(1012, LogLevel.Warning, "Failed to publish the root certificate in namespace '{Ns}': {Reason} Trying again in {Delay}.")]
    private partial void LogFailed(string ns, string reason, TimeSpan delay);
}
