// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Storage;

/// <summary>Says which volumes are free, and removes folders whose claim is gone.</summary>
internal sealed class VolumeController(Mirror volumes, Mirror claims, string folder)
{
    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (volumes.Find(key) is not { } volume || Owners.IsBeingDeleted(volume))
        {
            return null;
        }

        var reference = volume.Find("spec", "claimRef") as JsonObject;
        var uid = reference?.Text("uid");
        if (reference is null || string.IsNullOrEmpty(uid))
        {
            await SayAsync(volume, "Available", ct);
            return null;
        }

        var claim = claims.Find(new ObjectKey(reference.Text("namespace") ?? "", reference.Text("name") ?? ""));
        if (claim?.Uid() == uid)
        {
            await SayAsync(volume, "Bound", ct);
            return null;
        }

        // What was never bound waits for its claim to show up in the watch.
        if (volume.Text("status", "phase") is not ("Bound" or "Released"))
        {
            return TimeSpan.FromSeconds(1);
        }

        await SayAsync(volume, "Released", ct);
        if (volume.Text("spec", "persistentVolumeReclaimPolicy") == "Delete" && OwnFolder(volume) is { } own)
        {
            if (Directory.Exists(own))
            {
                Directory.Delete(own, recursive: true);
            }

            await volumes.DeleteAsync(volume, ct);
        }

        return null;
    }

    /// <summary>Only what was made here is removed: the path comes from an object that anybody may write.</summary>
    private string? OwnFolder(JsonObject volume)
    {
        var path = volume.Text("spec", "hostPath", "path");
        return volume.Annotation("pv.kubernetes.io/provisioned-by") == ClaimController.Provisioner
            && path is not null && path == Path.Combine(folder, volume.Name()) && Path.GetFileName(path) == volume.Name()
            ? path
            : null;
    }

    private async Task SayAsync(JsonObject volume, string phase, CancellationToken ct)
    {
        if (volume.Text("status", "phase") != phase)
        {
            await volumes.PatchStatusAsync(volume, new JsonObject { ["phase"] = phase }, ct);
        }
    }
}
