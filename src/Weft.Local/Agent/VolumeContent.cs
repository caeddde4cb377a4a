// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>What the files of a configMap, secret, downwardAPI or projected volume hold at this moment.</summary>
internal sealed class VolumeContent(KubernetesClient client, ContainerEnvironment environment, TimeProvider time)
{
    private const long DefaultMode = 0b110_100_100;
    private const long DefaultTokenSeconds = 3600;

    /// <summary>The files of a volume; null if it is of another kind. Throws <see cref="ConfigException"/> when something is missing.</summary>
    public async Task<VolumeFiles?> ReadAsync(PodSpec pod, JsonObject volume, string podAddress, CancellationToken ct)
    {
        var files = new VolumeFiles();
        if (volume["projected"] is JsonObject projected)
        {
            foreach (var source in projected.Objects("sources"))
            {
                await AddAsync(files, pod, source, projected.Number("defaultMode") ?? DefaultMode, podAddress, ct);
            }

            return files;
        }

        if (((string[])["configMap", "secret", "downwardAPI"]).FirstOrDefault(k => volume[k] is JsonObject) is not { } kind)
        {
            return null;
        }

        await AddAsync(files, pod, volume, volume.Number(kind, "defaultMode") ?? DefaultMode, podAddress, ct);
        return files;
    }

    private async Task AddAsync(VolumeFiles files, PodSpec pod, JsonObject source, long mode, string podAddress, CancellationToken ct)
    {
        if (source["configMap"] is JsonObject config)
        {
            await AddEntriesAsync(files, Kinds.ConfigMap, pod, config, mode, ct);
        }
        else if (source["secret"] is JsonObject secret)
        {
            await AddEntriesAsync(files, Kinds.Secret, pod, secret, mode, ct);
        }
        else if (source["downwardAPI"] is JsonObject downward)
        {
            AddFields(files, pod, downward, mode, podAddress);
        }
        else if (source["serviceAccountToken"] is JsonObject token)
        {
            await AddTokenAsync(files, pod, token, mode, ct);
        }
        else
        {
            throw new ConfigException("a projected volume has a source that is not supported here; these are: configMap, secret, downwardAPI, serviceAccountToken");
        }
    }

    private async Task AddEntriesAsync(VolumeFiles files, ResourceKind kind, PodSpec pod, JsonObject source, long mode, CancellationToken ct)
    {
        if (await environment.FetchAsync(kind, pod, source, ct) is not { } found)
        {
            return;
        }

        var entries = ContainerEnvironment.Entries(kind, found);
        var items = source.Objects("items").ToList();
        if (items.Count == 0)
        {
            foreach (var (key, content) in entries)
            {
                files.Add(key, content, mode);
            }
        }

        foreach (var item in items)
        {
            var key = item.Text("key") ?? "";
            if (entries.TryGetValue(key, out var content))
            {
                files.Add(item.Text("path") ?? "", content, item.Number("mode") ?? mode);
            }
            else if (source.Flag("optional") != true)
            {
                throw new ConfigException($"references non-existent {kind.Kind.ToLowerInvariant()} key: {key}");
            }
        }
    }

    private static void AddFields(VolumeFiles files, PodSpec pod, JsonObject source, long mode, string podAddress)
    {
        foreach (var item in source.Objects("items"))
        {
            var value = item.Text("fieldRef", "fieldPath") is { } path
                ? DownwardField.Read(pod, path, podAddress) ?? throw new ConfigException($"unsupported fieldPath: {path}")
                : Resource(pod, item["resourceFieldRef"] as JsonObject ?? []);
            files.Add(item.Text("path") ?? "", Encoding.UTF8.GetBytes(value), item.Number("mode") ?? mode);
        }
    }

    private static string Resource(PodSpec pod, JsonObject reference)
    {
        var container = pod.Containers.Concat(pod.InitContainers).FirstOrDefault(c => c.Name == reference.Text("containerName"))
            ?? throw new ConfigException($"container {reference.Text("containerName")} not found");
        return DownwardField.ReadResource(container, reference)
            ?? throw new ConfigException($"unsupported container resource : {reference.Text("resource")}");
    }

    private async Task AddTokenAsync(VolumeFiles files, PodSpec pod, JsonObject source, long mode, CancellationToken ct)
    {
        var seconds = source.Number("expirationSeconds") ?? DefaultTokenSeconds;
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = source.Text("audience") is { Length: > 0 } audience ? new JsonArray(audience) : [],
                ["expirationSeconds"] = seconds,
                ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Name, ["uid"] = pod.Uid },
            },
        };
        var answer = await client.PostSubresourceAsync(Kinds.ServiceAccount, pod.Namespace, pod.ServiceAccount, "token", request, ct);
        var token = answer.Text("status", "token")
            ?? throw new ConfigException($"the API gave no token for service account {pod.Namespace}/{pod.ServiceAccount}");
        files.Add(source.Text("path") ?? "token", Encoding.ASCII.GetBytes(token), mode);

        // At four fifths of its life, and after a day at the latest, as the kubelet does.
        var now = time.GetUtcNow();
        var ends = DateTimeOffset.TryParse(
            answer.Text("status", "expirationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var given)
            ? given
            : now + TimeSpan.FromSeconds(seconds);
        var renew = now + TimeSpan.FromSeconds(Math.Clamp((ends - now).TotalSeconds * 0.8, 5, 86_400));
        files.Renew = files.Renew is { } other && other < renew ? other : renew;
    }
}

/// <summary>Files of a volume: paths inside it, contents and modes.</summary>
internal sealed class VolumeFiles
{
    /// <summary>More than a megabyte fits no ConfigMap or Secret; this many of them fit a volume.</summary>
    public const int MaxBytes = 32 * 1024 * 1024;

    private readonly SortedDictionary<string, (byte[] Content, long Mode)> _files = new(StringComparer.Ordinal);
    private long _bytes;

    public IReadOnlyDictionary<string, (byte[] Content, long Mode)> Files => _files;

    /// <summary>When something in it has to be fetched anew; null if never.</summary>
    public DateTimeOffset? Renew { get; set; }

    /// <summary>Throws <see cref="ConfigException"/> when the path leads out of the volume.</summary>
    public void Add(string path, byte[] content, long mode)
    {
        if (path.Length == 0 || path.StartsWith('/') || path.Split('/').Any(p => p.StartsWith("..", StringComparison.Ordinal) || p.Length == 0))
        {
            throw new ConfigException($"'{path}' is no path inside a volume");
        }

        _bytes += content.Length;
        _files[path] = _bytes <= MaxBytes ? (content, mode) : throw new ConfigException($"the volume holds more than {MaxBytes} bytes");
    }

    public bool Equal(VolumeFiles other) => _files.Count == other._files.Count && _files.All(
        f => other._files.TryGetValue(f.Key, out var there) && there.Mode == f.Value.Mode && there.Content.AsSpan().SequenceEqual(f.Value.Content));
}
