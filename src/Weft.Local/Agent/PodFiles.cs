// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>The files that a pod's containers see: resolv.conf, hosts, and the contents of its volumes.</summary>
internal sealed class PodFiles(PodSpec pod, string folder, ContainerEnvironment environment)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public async Task WriteAsync(IPAddress address, CancellationToken ct)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "resolv.conf"), ResolvConf(pod), ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "hosts"), Hosts(pod, address), ct);
    }

    /// <summary>Fills the volumes that a container mounts and says where they go.</summary>
    public async Task<IReadOnlyList<VolumeMount>> PrepareVolumesAsync(ContainerSpec container, string podAddress, CancellationToken ct)
    {
        var mounts = new List<VolumeMount>();
        foreach (var mount in container.Source.Objects("volumeMounts"))
        {
            var name = mount.Text("name") ?? "";
            var target = mount.Text("mountPath") ?? "";
            var volume = pod.Source.Objects("spec", "volumes").FirstOrDefault(v => v.Text("name") == name)
                ?? throw new ConfigException($"Container '{container.Name}' mounts the volume '{name}', which the pod does not have.");
            if (!target.StartsWith('/') || target.Split('/').Contains(".."))
            {
                throw new ConfigException($"Container '{container.Name}' mounts the volume '{name}' at '{target}', which is no absolute path.");
            }

            var source = await SourceAsync(volume, name, podAddress, ct);
            var subPath = mount.Text("subPath") ?? "";
            if (subPath.Split('/').Contains(".."))
            {
                throw new ConfigException($"Volume '{name}' has a subPath that leads out of it: '{subPath}'.");
            }

            mounts.Add(new VolumeMount(
                subPath.Length > 0 ? Path.Combine(source, subPath) : source,
                target.Length > 1 ? target.TrimEnd('/') : target,
                mount.Flag("readOnly") ?? false));
        }

        return mounts;
    }

    internal static string ResolvConf(PodSpec pod) => $"""
        nameserver {NodeNetwork.DnsAddress}
        search {pod.Namespace}.svc.cluster.local svc.cluster.local cluster.local
        options ndots:5

        """;

    private static string Hosts(PodSpec pod, IPAddress address)
    {
        var aliases = pod.Source.Objects("spec", "hostAliases")
            .Select(a => $"{a.Text("ip")} {string.Join(' ', a.Texts("hostnames"))}\n");
        return $"127.0.0.1 localhost\n{address} {pod.HostName}\n{string.Concat(aliases)}";
    }

    private async Task<string> SourceAsync(JsonObject volume, string name, string podAddress, CancellationToken ct)
    {
        if (volume.Text("hostPath", "path") is { } path)
        {
            return path;
        }

        var target = Path.Combine(folder, "volumes", name);
        Directory.CreateDirectory(target, Private | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        if (volume["emptyDir"] is JsonObject)
        {
            return target;
        }

        if (volume["configMap"] is JsonObject config)
        {
            await FillAsync(Kinds.ConfigMap, config, target, ct);
        }
        else if (volume["secret"] is JsonObject secret)
        {
            await FillAsync(Kinds.Secret, secret, target, ct);
        }
        else if (volume["downwardAPI"] is JsonObject downward)
        {
            foreach (var item in downward.Objects("items"))
            {
                var value = ContainerEnvironment.Field(pod, item.Text("fieldRef", "fieldPath") ?? "", podAddress) ?? "";
                await WriteAsync(target, item.Text("path") ?? "", System.Text.Encoding.UTF8.GetBytes(value), ct);
            }
        }
        else
        {
            throw new ConfigException(
                $"Volume '{name}' is of a kind that local pods do not have; these are: emptyDir, configMap, secret, downwardAPI, hostPath.");
        }

        return target;
    }

    private async Task FillAsync(ResourceKind kind, JsonObject source, string target, CancellationToken ct)
    {
        if (await environment.FetchAsync(kind, pod, source, ct) is not { } found)
        {
            return;
        }

        var entries = ContainerEnvironment.Entries(kind, found);
        var items = source.Objects("items").Select(i => (Key: i.Text("key") ?? "", Path: i.Text("path") ?? "")).ToArray();
        foreach (var (key, path) in items.Length > 0 ? items : [.. entries.Keys.Select(k => (k, k))])
        {
            if (!entries.TryGetValue(key, out var content))
            {
                throw new ConfigException($"{kind.Kind} '{found.Name()}' has no key '{key}', which a volume needs.");
            }

            await WriteAsync(target, path, content, ct);
        }
    }

    private static async Task WriteAsync(string target, string path, byte[] content, CancellationToken ct)
    {
        if (path.Length == 0 || path.StartsWith('/') || path.Split('/').Contains(".."))
        {
            throw new ConfigException($"'{path}' is no path inside a volume.");
        }

        var file = Path.Combine(target, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, content, ct);
    }
}
