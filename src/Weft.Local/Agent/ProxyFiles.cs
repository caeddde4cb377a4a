// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>What a pod's sidecar finds on disk: its bootstrap, the pod's token, and a private folder for its key.</summary>
internal sealed partial class ProxyFiles(PodSpec pod, string folder, KubernetesClient client, LocalNodeOptions options)
{
    /// <summary>The audience that the control plane expects in tokens.</summary>
    private const string Audience = "istio-ca";

    private const string ClusterId = "Kubernetes";

    private static readonly TimeSpan _tokenLifetime = TimeSpan.FromHours(12);
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(2);

    public string BootstrapFile => Path.Combine(folder, "bootstrap.json");

    private string TokenFile => Path.Combine(folder, "token");

    /// <summary>Writes everything that the sidecar needs before it starts.</summary>
    public async Task<DateTimeOffset> WriteAsync(string address, CancellationToken ct)
    {
        var state = Path.Combine(folder, "identity");
        Directory.CreateDirectory(state, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        AtomicFile.Write(BootstrapFile, Bootstrap(address, state).ToJsonString());
        return await FetchTokenAsync(ct);
    }

    /// <summary>Fetches a new token in good time, until cancelled.</summary>
    public async Task RenewAsync(DateTimeOffset expires, CancellationToken ct)
    {
        while (true)
        {
            // At four fifths of its life, as the kubelet does.
            var left = expires - options.Time.GetUtcNow();
            await Task.Delay(left > _retry ? left * 0.8 : _retry, options.Time, ct);
            try
            {
                expires = await FetchTokenAsync(ct);
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                LogToken(options.Log, pod.Namespace, pod.Name, e.Message);
                await Task.Delay(_retry, options.Time, ct);
            }
        }
    }

    /// <summary>The workload that metrics name: the Deployment behind a ReplicaSet, another owner, or the pod itself.</summary>
    internal static string Workload(PodSpec pod)
    {
        var owner = pod.Source.Objects("metadata", "ownerReferences").FirstOrDefault(o => o.Flag("controller") == true)
            ?? pod.Source.Objects("metadata", "ownerReferences").FirstOrDefault();
        if (owner?.Text("name") is not { Length: > 0 } name)
        {
            return pod.Name;
        }

        var hash = pod.Source.Label("pod-template-hash");
        return owner.Text("kind") == "ReplicaSet" && hash is not null && name.EndsWith($"-{hash}", StringComparison.Ordinal)
            ? name[..^(hash.Length + 1)]
            : name;
    }

    private JsonObject Bootstrap(string address, string state)
    {
        var settings = ProxySettings.Of(pod.Source);
        var bootstrap = Usual(address, state, settings);
        if (settings.DrainSeconds is { } drain)
        {
            bootstrap["drainSeconds"] = drain;
        }

        if (settings.ListenerDrainSeconds is { } listenerDrain)
        {
            bootstrap["listenerDrainSeconds"] = listenerDrain;
        }

        return bootstrap;
    }

    private JsonObject Usual(string address, string state, ProxySettings settings) => new()
    {
        ["role"] = pod.IsGateway ? "gateway" : "sidecar",
        ["node"] = Node(address),
        ["control"] = new JsonObject
        {
            ["address"] = $"unix:{options.Home.XdsSocket}",
            ["tokenFile"] = TokenFile,
        },
        ["identity"] = new JsonObject
        {
            ["trustDomain"] = options.TrustDomain,
            ["stateDirectory"] = state,
            ["certificateLifetimeSeconds"] = (int)options.CertificateLifetime.TotalSeconds,
        },
        ["ports"] = new JsonObject
        {
            ["outbound"] = 15001,
            ["inbound"] = 15006,
            ["admin"] = 15000,
            ["metrics"] = 15020,
            ["prometheus"] = 15090,
            ["status"] = 15021,
        },
        ["loops"] = settings.Loops,
        ["io"] = options.ProxyIo,
        ["accessLog"] = options.AccessLog ? "/dev/stdout" : "",
        ["markSockets"] = !pod.IsGateway,
        ["nameServer"] = $"{Network.NodeNetwork.DnsAddress}:{Dns.DnsServer.ProxyPort}",
        ["planCache"] = Path.Combine(folder, "plan.cache"),

        // The agent ends the applications first: by the time the proxy is told, nobody is left to wait for.
        ["exitOnZeroActiveConnections"] = true,
        ["minimumDrainSeconds"] = settings.MinimumDrainSeconds,
    };

    private JsonObject Node(string address)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in pod.Source.Labels())
        {
            labels[key] = value;
        }

        var workload = Workload(pod);
        var canonicalName = First("service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? workload;
        return new JsonObject
        {
            ["id"] = $"{(pod.IsGateway ? "router" : "sidecar")}~{address}~{pod.Name}.{pod.Namespace}~{pod.Namespace}.svc.cluster.local",
            ["cluster"] = $"{canonicalName}.{pod.Namespace}",
            ["metadata"] = new JsonObject
            {
                ["name"] = pod.Name,
                ["namespace"] = pod.Namespace,
                ["labels"] = labels,
                ["workload"] = workload,
                ["serviceAccount"] = pod.ServiceAccount,
                ["canonicalName"] = canonicalName,
                ["canonicalRevision"] = First("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version") ?? "latest",
                ["app"] = pod.Source.Label("app") ?? "",
                ["version"] = pod.Source.Label("version") ?? "",
                ["clusterId"] = ClusterId,
                ["podIp"] = address,
            },
        };
    }

    private string? First(params ReadOnlySpan<string> labels)
    {
        foreach (var label in labels)
        {
            if (pod.Source.Label(label) is { Length: > 0 } value)
            {
                return value;
            }
        }

        return null;
    }

    private async Task<DateTimeOffset> FetchTokenAsync(CancellationToken ct)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = new JsonArray(Audience),
                ["expirationSeconds"] = (int)_tokenLifetime.TotalSeconds,
                ["boundObjectRef"] = new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Pod",
                    ["name"] = pod.Name,
                    ["uid"] = pod.Uid,
                },
            },
        };
        var answer = await client.PostSubresourceAsync(
            Kinds.ServiceAccount, pod.Namespace, pod.ServiceAccount, "token", request, ct);
        var token = answer.Text("status", "token")
            ?? throw new KubernetesException($"The API gave no token for service account '{pod.ServiceAccount}'.");
        AtomicFile.Write(TokenFile, token, secret: true);
        return DateTimeOffset.TryParse(
            answer.Text("status", "expirationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires)
            ? expires
            : options.Time.GetUtcNow() + _tokenLifetime;
    }

    [LoggerMessage(5420, LogLevel.Warning, "{Namespace}/{Pod}: the sidecar's token could not be renewed: {Reason}")]
    private static partial void LogToken(ILogger log, string @namespace, string pod, string reason);
}
