// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>Finds what a pod asks for that a process of the host cannot be given.</summary>
internal static class NotEnforced
{
    private static readonly string[] _podFlags = ["hostNetwork"];

    /// <summary>In words for an event; each of them once.</summary>
    public static IReadOnlyList<string> Of(PodSpec pod, PodScene scene)
    {
        var notes = new List<string>();
        notes.AddRange(_podFlags.Where(flag => pod.Source.Flag("spec", flag) == true));
        if (pod.Source.Text("spec", "runtimeClassName") is { Length: > 0 } runtime)
        {
            notes.Add($"runtimeClassName {runtime}");
        }

        foreach (var container in pod.InitContainers.Concat(pod.Containers))
        {
            try
            {
                notes.AddRange(ContainerRights.Parse(pod, container, scene.HasManyUsers).NotEnforced);
            }
            catch (ConfigException)
            {
                // The container will say so itself, with a reason of its own.
            }

            if (container.Source.Objects("volumeMounts").Any(m => m.Text("mountPropagation") is { } mode and not "None"))
            {
                notes.Add("mountPropagation");
            }

            if (container.Source.Objects("volumeDevices").Any())
            {
                notes.Add("volumeDevices");
            }

            if (!scene.Groups.Exist && !container.IsProxy
                && (container.Source.Find("resources", "limits") is not null || container.Source.Find("resources", "requests") is not null))
            {
                notes.Add($"resources ({scene.Groups.Problem})");
            }
        }

        return [.. notes.Distinct(StringComparer.Ordinal)];
    }
}
