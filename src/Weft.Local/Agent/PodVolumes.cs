// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>A pod's volumes: made when the first container needs them, kept up to date while the pod lives, removed with it.</summary>
internal sealed class PodVolumes(PodSpec pod, string folder, VolumeContent content, KubernetesClient client, TimeProvider time)
    : IAsyncDisposable
{
    private const UnixFileMode AllRights = (UnixFileMode)0x1ff;

    /// <summary>Volumes that need more than these kinds are refused by name.</summary>
    private const string Known = "emptyDir, configMap, secret, downwardAPI, projected, hostPath, persistentVolumeClaim, ephemeral";

    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<string, string> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VolumeFiles> _written = new(StringComparer.Ordinal);
    private readonly List<string> _mounted = [];
    private int _version;

    /// <summary>When something has to be fetched anew; null if never.</summary>
    public DateTimeOffset? Renew => _written.Values.Min(f => f.Renew);

    /// <summary>Whether a volume shows this object.</summary>
    public bool Shows(ResourceKind kind, string name) => pod.Source.Objects("spec", "volumes").Any(
        v => Names(v, kind, name) || v.Objects("projected", "sources").Any(s => Names(s, kind, name)));

    /// <summary>Fills the volumes that a container mounts and says where they go.</summary>
    public async Task<IReadOnlyList<VolumeMount>> PrepareAsync(ContainerSpec container, string address, Func<string, string> expand, CancellationToken ct)
    {
        var mounts = new List<VolumeMount>();
        foreach (var mount in container.Source.Objects("volumeMounts"))
        {
            var name = mount.Text("name") ?? "";
            var target = mount.Text("mountPath") ?? "";
            var volume = pod.Source.Objects("spec", "volumes").FirstOrDefault(v => v.Text("name") == name)
                ?? throw new ConfigException($"container {container.Name} mounts the volume \"{name}\", which the pod does not have");
            target = target.StartsWith('/') ? target : $"/{target}";
            if (target.Split('/').Contains(".."))
            {
                throw new ConfigException($"container {container.Name} mounts the volume \"{name}\" at \"{target}\", which leads upwards");
            }

            var source = await SourceAsync(volume, name, address, ct);
            var subPath = mount.Text("subPath") ?? expand(mount.Text("subPathExpr") ?? "");
            mounts.Add(new VolumeMount(
                subPath.Length > 0 ? Inside(source, subPath, name) : source,
                target.Length > 1 ? target.TrimEnd('/') : target,
                mount.Flag("readOnly") ?? false));
        }

        return mounts;
    }

    /// <summary>Brings files up to date whose sources have changed; what cannot be read now stays as it is.</summary>
    public async Task RefreshAsync(PodSpec newer, string address, CancellationToken ct)
    {
        foreach (var volume in newer.Source.Objects("spec", "volumes"))
        {
            if (_written.ContainsKey(volume.Text("name") ?? ""))
            {
                await FillAsync(newer, volume, volume.Text("name")!, address, ct);
            }
        }
    }

    /// <summary>The first scratch folder that has grown beyond its limit, in the kubelet's words; null if none.</summary>
    public string? FindFull()
    {
        foreach (var volume in pod.Source.Objects("spec", "volumes"))
        {
            if (volume["emptyDir"] is JsonObject empty && empty.Text("medium") != "Memory" && Quantity.Parse(empty["sizeLimit"]) is { } limit
                && _sources.TryGetValue(volume.Text("name") ?? "", out var source) && SizeOf(source) > limit)
            {
                return $"Usage of EmptyDir volume \"{volume.Text("name")}\" exceeds the limit \"{empty.Text("sizeLimit")}\". ";
            }
        }

        return null;
    }

    /// <summary>How long nobody needs to look after them, if nothing is asked for.</summary>
    public TimeSpan NextLook(DateTimeOffset now)
    {
        var limits = pod.Source.Objects("spec", "volumes").Any(v => v.Find("emptyDir", "sizeLimit") is not null) ? PodScene.LimitLook : Timeout.InfiniteTimeSpan;
        var tokens = pod.Source.Objects("spec", "volumes").Any(v => v.Objects("projected", "sources").Any(s => s["serviceAccountToken"] is not null));
        if (!tokens)
        {
            return limits;
        }

        // Before the first container has its volumes nobody knows when their tokens end.
        var renew = Renew is { } at ? at - now : _soon;
        renew = renew < _soon ? _soon : renew < _longest ? renew : _longest;
        return limits == Timeout.InfiniteTimeSpan || renew < limits ? renew : limits;
    }

    /// <summary>Takes mounts away; files go with the pod's folder.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var place in _mounted)
        {
            _ = await RunOnce.TryAsync("umount", ["-l", place], "", CancellationToken.None);
        }

        _mounted.Clear();
        _turn.Dispose();
    }

    private static bool Names(JsonObject source, ResourceKind kind, string name) => kind == Kinds.Secret
        ? (source.Text("secret", "secretName") ?? source.Text("secret", "name")) == name
        : source.Text("configMap", "name") == name;

    private static string Inside(string source, string subPath, string volume)
    {
        if (subPath.StartsWith('/') || subPath.Split('/').Contains(".."))
        {
            throw new ConfigException($"volume \"{volume}\" has a subPath that leads out of it: \"{subPath}\"");
        }

        var path = source;
        foreach (var part in subPath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Path.Combine(path, part);
            if (!Path.Exists(path))
            {
                // As the volume itself, whatever this process' mask is: who may write there may write here.
                Directory.CreateDirectory(path);
                File.SetUnixFileMode(path, File.GetUnixFileMode(source));
            }
        }

        return path;
    }

    private async Task<string> SourceAsync(JsonObject volume, string name, string address, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            if (!_sources.TryGetValue(name, out var source))
            {
                _sources[name] = source = await MakeAsync(volume, name, address, ct);
            }

            return source;
        }
        catch (ConfigException e)
        {
            throw new VolumeException(name, e.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<string> MakeAsync(JsonObject volume, string name, string address, CancellationToken ct)
    {
        if (volume["hostPath"] is JsonObject host)
        {
            return HostFolder.Check(host.Text("path") ?? "", host.Text("type") ?? "");
        }

        if (volume.Text("persistentVolumeClaim", "claimName") is { } claim)
        {
            return await ClaimAsync(claim, ct);
        }

        if (volume["ephemeral"] is not null)
        {
            return await ClaimAsync($"{pod.Name}-{name}", ct);
        }

        var target = Path.Combine(folder, "volumes", name);
        if (volume["emptyDir"] is JsonObject empty)
        {
            await MakeEmptyAsync(target, empty, ct);
            return target;
        }

        await FillAsync(pod, volume, name, address, ct);
        return target;
    }

    private async Task MakeEmptyAsync(string target, JsonObject empty, CancellationToken ct)
    {
        Directory.CreateDirectory(target);
        if (empty.Text("medium") == "Memory")
        {
            var size = Quantity.Parse(empty["sizeLimit"]) is { } limit ? $",size={(long)limit}" : "";
            await RunOnce.RunAsync("mount", ["-t", "tmpfs", "-o", $"mode=777{size}", "tmpfs", target], "", ct);
            _mounted.Add(target);
        }

        File.SetUnixFileMode(target, AllRights);
        if (Group is { } group)
        {
            // New files in it belong to the group, too.
            await RunOnce.RunAsync("chgrp", [group.ToString(CultureInfo.InvariantCulture), target], "", ct);
            File.SetUnixFileMode(target, AllRights | UnixFileMode.SetGroup);
        }
    }

    /// <summary>Who owns the files, where the node has more than one user.</summary>
    private long? Group => UserMap.HasManyUsers() ? pod.Source.Number("spec", "securityContext", "fsGroup") : null;

    private async Task FillAsync(PodSpec from, JsonObject volume, string name, string address, CancellationToken ct)
    {
        var files = await content.ReadAsync(from, volume, address, ct)
            ?? throw new ConfigException($"it is of a kind that local pods do not have; these are: {Known}");
        if (_written.TryGetValue(name, out var before) && before.Equal(files))
        {
            before.Renew = files.Renew;
            return;
        }

        var stamp = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy_MM_dd_HH_mm_ss}.{++_version}");
        await VolumeFolder.WriteAsync(Path.Combine(folder, "volumes", name), files, stamp, Group, ct);
        _written[name] = files;
    }

    /// <summary>The folder of the volume that a claim is bound to.</summary>
    private async Task<string> ClaimAsync(string name, CancellationToken ct)
    {
        try
        {
            var claim = await client.GetPathAsync($"/api/v1/namespaces/{pod.Namespace}/persistentvolumeclaims/{name}", ct);
            if (claim.Text("spec", "volumeName") is not { Length: > 0 } bound || claim.Text("status", "phase") != "Bound")
            {
                throw new ConfigException($"persistentvolumeclaim \"{name}\" is not bound");
            }

            var volume = await client.GetPathAsync($"/api/v1/persistentvolumes/{bound}", ct);
            var path = volume.Text("spec", "hostPath", "path") ?? volume.Text("spec", "local", "path")
                ?? throw new ConfigException($"persistentvolume \"{bound}\" is no folder of this machine; give it a hostPath or a local path");
            return HostFolder.Check(path, "DirectoryOrCreate");
        }
        catch (KubernetesException e) when (e.IsNotFound)
        {
            throw new ConfigException($"persistentvolumeclaim \"{name}\" not found");
        }
    }

    private static long SizeOf(string place) => new DirectoryInfo(place)
        .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint })
        .Sum(f => f.Length);
}
