// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Storage;

/// <summary>Gives every PersistentVolumeClaim a volume: one that is there and fits, or a new folder in the mesh's home.</summary>
internal sealed class ClaimController(Mirror claims, Mirror volumes, Mirror classes, Informer pods, EventLog events, string folder)
{
    /// <summary>Whose classes mean a folder here.</summary>
    public const string Provisioner = "weft.dev/folder";
    private const string InUse = "kubernetes.io/pvc-protection";
    private const string DefaultClass = "storageclass.kubernetes.io/is-default-class";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (claims.Find(key) is not { } claim)
        {
            return null;
        }

        if (Owners.IsBeingDeleted(claim))
        {
            await LetGoAsync(claim, ct);
            return null;
        }

        if (claim.Text("status", "phase") is "Bound" or "Lost")
        {
            await NoticeLossAsync(claim, ct);
            return null;
        }

        var volume = FindVolume(claim) ?? await ProvisionAsync(claim, ct);
        if (volume is not null)
        {
            await BindAsync(claim, volume, ct);
        }

        return null;
    }

    /// <summary>True if a waiting claim may have this volume.</summary>
    internal static bool Fits(JsonObject claim, JsonObject volume, string? className)
    {
        if (volume.Find("spec", "claimRef") is JsonObject reference)
        {
            return reference.Text("namespace") == claim.Namespace() && reference.Text("name") == claim.Name()
                && (reference.Text("uid") is not { Length: > 0 } uid || uid == claim.Uid());
        }

        if (claim.Text("spec", "volumeName") is { Length: > 0 } wanted)
        {
            return volume.Name() == wanted;
        }

        var modes = volume.Texts("spec", "accessModes").ToHashSet(StringComparer.Ordinal);
        return volume.Text("status", "phase") is null or "Pending" or "Available"
            && !Owners.IsBeingDeleted(volume)
            && (volume.Text("spec", "storageClassName") ?? "") == (className ?? "")
            && claim.Texts("spec", "accessModes").All(modes.Contains)
            && (claim.Text("spec", "volumeMode") ?? "Filesystem") == (volume.Text("spec", "volumeMode") ?? "Filesystem")
            && Selector.Parse(claim.Find("spec", "selector")).Matches(volume)
            && (Quantity.Parse(volume.Find("spec", "capacity", "storage")) ?? 0) >= (Quantity.Parse(claim.Find("spec", "resources", "requests", "storage")) ?? 0);
    }

    /// <summary>The class that a claim means: its own, or the default; empty for one that wants no class.</summary>
    private string? ClassOf(JsonObject claim) => claim.Text("spec", "storageClassName")
        ?? classes.All.Where(one => one.Annotation(DefaultClass) == "true").MaxBy(one => one.CreatedAt())?.Name();

    private JsonObject? FindVolume(JsonObject claim) => volumes.All
        .Where(volume => Fits(claim, volume, ClassOf(claim)))
        .OrderByDescending(volume => volume.Find("spec", "claimRef") is not null)
        .ThenBy(volume => Quantity.Parse(volume.Find("spec", "capacity", "storage")) ?? 0)
        .FirstOrDefault();

    private async Task<JsonObject?> ProvisionAsync(JsonObject claim, CancellationToken ct)
    {
        if (claim.Text("spec", "volumeName") is { Length: > 0 } awaited)
        {
            await events.TellAsync(claim, "Warning", "FailedBinding", $"volume \"{awaited}\" not found or already bound to a different claim.", ct);
            return null;
        }

        if (ClassOf(claim) is not { Length: > 0 } name)
        {
            await events.TellAsync(claim, "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set", ct);
            return null;
        }

        if (classes.Find(new ObjectKey("", name)) is not { } storage)
        {
            await events.TellAsync(claim, "Warning", "ProvisioningFailed", $"storageclass.storage.k8s.io \"{name}\" not found", ct);
            return null;
        }

        if (storage.Text("provisioner") != Provisioner)
        {
            await events.TellAsync(
                claim, "Normal", "ExternalProvisioning",
                $"Waiting for a volume to be created either by the external provisioner '{storage.Text("provisioner")}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.", ct);
            return null;
        }

        var volume = VolumeFor(claim, storage);
        Directory.CreateDirectory(volume.Text("spec", "hostPath", "path")!);
        try
        {
            volume = await volumes.CreateAsync(volume, ct);
        }
        catch (KubernetesException made) when (made.IsAlreadyExists)
        {
            return volumes.Find(new ObjectKey("", volume.Name()));
        }

        await events.TellAsync(claim, "Normal", "ProvisioningSucceeded", $"Successfully provisioned volume {volume.Name()}", ct);
        return volume;
    }

    private JsonObject VolumeFor(JsonObject claim, JsonObject storage)
    {
        var name = "pvc-" + claim.Uid();
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolume",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["annotations"] = new JsonObject { ["pv.kubernetes.io/provisioned-by"] = Provisioner },
            },
            ["spec"] = new JsonObject
            {
                ["capacity"] = new JsonObject { ["storage"] = claim.Find("spec", "resources", "requests", "storage")?.DeepClone() ?? "1Gi" },
                ["accessModes"] = claim.Find("spec", "accessModes")?.DeepClone() ?? new JsonArray("ReadWriteOnce"),
                ["volumeMode"] = "Filesystem",
                ["persistentVolumeReclaimPolicy"] = storage.Text("reclaimPolicy") ?? "Delete",
                ["storageClassName"] = storage.Name(),
                ["hostPath"] = new JsonObject { ["path"] = Path.Combine(folder, name), ["type"] = "DirectoryOrCreate" },
                ["claimRef"] = Reference(claim),
            },
        };
    }

    private async Task BindAsync(JsonObject claim, JsonObject volume, CancellationToken ct)
    {
        if (volume.Text("spec", "claimRef", "uid") != claim.Uid())
        {
            volume = await volumes.PatchAsync(volume, new JsonObject { ["spec"] = new JsonObject { ["claimRef"] = Reference(claim) } }, ct);
        }

        if (volume.Text("status", "phase") != "Bound")
        {
            await volumes.PatchStatusAsync(volume, new JsonObject { ["phase"] = "Bound" }, ct);
        }

        var finalizers = claim.Texts("metadata", "finalizers").Append(InUse).Distinct(StringComparer.Ordinal).Select(name => (JsonNode)name);
        var annotations = new JsonObject { ["pv.kubernetes.io/bind-completed"] = "yes", ["pv.kubernetes.io/bound-by-controller"] = "yes" };
        var spec = new JsonObject { ["volumeName"] = volume.Name() };
        if (claim.Text("spec", "storageClassName") is null && volume.Text("spec", "storageClassName") is { } className)
        {
            spec["storageClassName"] = className;
        }

        claim = await claims.PatchAsync(claim, new JsonObject
        {
            ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray([.. finalizers]), ["annotations"] = annotations },
            ["spec"] = spec,
        }, ct);
        await claims.PatchStatusAsync(claim, new JsonObject
        {
            ["phase"] = "Bound",
            ["accessModes"] = volume.Find("spec", "accessModes")?.DeepClone(),
            ["capacity"] = volume.Find("spec", "capacity")?.DeepClone(),
        }, ct);
    }

    private async Task NoticeLossAsync(JsonObject claim, CancellationToken ct)
    {
        if (claim.Text("status", "phase") == "Bound" && claim.Text("spec", "volumeName") is { } name && volumes.Find(new ObjectKey("", name)) is null)
        {
            await claims.PatchStatusAsync(claim, new JsonObject { ["phase"] = "Lost" }, ct);
            await events.TellAsync(claim, "Warning", "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!", ct);
        }
    }

    /// <summary>A claim goes when no pod uses it any more.</summary>
    private async Task LetGoAsync(JsonObject claim, CancellationToken ct)
    {
        var finalizers = claim.Texts("metadata", "finalizers").ToList();
        var used = pods.Items.Any(pod => pod.Namespace() == claim.Namespace() && !PodState.HasEnded(pod)
            && pod.Objects("spec", "volumes").Any(volume => volume.Text("persistentVolumeClaim", "claimName") == claim.Name()));
        if (!used && finalizers.Remove(InUse))
        {
            await claims.PatchAsync(claim, new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = claim.ResourceVersion(),
                    ["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)name)]),
                },
            }, ct);
        }
    }

    private static JsonObject Reference(JsonObject claim) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "PersistentVolumeClaim",
        ["namespace"] = claim.Namespace(),
        ["name"] = claim.Name(),
        ["uid"] = claim.Uid(),
        ["resourceVersion"] = claim.ResourceVersion(),
    };
}
