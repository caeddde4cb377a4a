// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>What a container's process may do: user, groups, capabilities; and what of its securityContext nobody enforces here.</summary>
/// <param name="Command">The command that gives up rights before an exec (setpriv with its arguments); empty for none.</param>
/// <param name="Group">The group that owns its volumes; null for none.</param>
internal sealed record ContainerRights(string Command, long? Group, bool ReadOnlyRoot, IReadOnlyList<string> NotEnforced)
{
    /// <summary>Who a container runs as that must not be root and does not say who it is.</summary>
    private const long NonRootUser = 65532;

    /// <summary>
    /// What Docker leaves to a container, but NET_RAW: that, and NET_ADMIN, let a process mark its sockets and so step around its
    /// sidecar. Ping works without.
    /// </summary>
    private static readonly string[] _usual =
    [
        "chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service", "sys_chroot", "mknod",
        "audit_write", "setfcap",
    ];

    private static readonly string[] _all =
    [
        .. _usual, "dac_read_search", "linux_immutable", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module",
        "sys_rawio", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "lease",
        "audit_control", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
        "checkpoint_restore",
    ];

    /// <summary>Throws <see cref="ConfigException"/> when the context contradicts itself.</summary>
    /// <param name="hasManyUsers">False when an ordinary user started the mesh: there is one user id then.</param>
    public static ContainerRights Parse(PodSpec pod, ContainerSpec container, bool hasManyUsers)
    {
        if (container.IsProxy)
        {
            // It marks its sockets; that is a right nobody else has.
            return new ContainerRights("", null, false, []);
        }

        var notes = new List<string>();
        var outer = pod.Source.Find("spec", "securityContext") as JsonObject ?? [];
        var own = container.Source["securityContext"] as JsonObject ?? [];
        var arguments = new StringBuilder();
        if (User(pod, container, hasManyUsers, notes) is { Length: > 0 } user)
        {
            arguments.Append(user);
        }

        if (own.Flag("allowPrivilegeEscalation") == false)
        {
            arguments.Append(" --no-new-privs");
        }

        if (own.Flag("privileged") != true)
        {
            arguments.Append(" --inh-caps=-all --bounding-set=").Append(Capabilities(own, container.Name));
        }

        Note(notes, own, outer, hasManyUsers);
        return new ContainerRights(
            arguments.Length == 0 ? "" : $"{Programs.Require("setpriv")}{arguments} --",
            hasManyUsers ? outer.Number("fsGroup") : null,
            own.Flag("readOnlyRootFilesystem") == true,
            notes);
    }

    private static string User(PodSpec pod, ContainerSpec container, bool hasManyUsers, List<string> notes)
    {
        long? Either(string field) => container.Source.Number("securityContext", field) ?? pod.Source.Number("spec", "securityContext", field);
        var (user, group) = (Either("runAsUser"), Either("runAsGroup"));
        var nonRoot = container.Source.Flag("securityContext", "runAsNonRoot") ?? pod.Source.Flag("spec", "securityContext", "runAsNonRoot");
        if (nonRoot == true && user == 0)
        {
            throw new ConfigException(
                $"container's runAsUser breaks non-root policy (pod: \"{pod.Name}_{pod.Namespace}({pod.Uid})\", container: {container.Name})");
        }

        if (!hasManyUsers)
        {
            if (user is > 0 || group is > 0)
            {
                notes.Add("runAsUser and runAsGroup (an ordinary user started the mesh, and has one user id; the container runs with it)");
            }

            return "";
        }

        // An image would say who it runs as; there is none.
        user ??= nonRoot == true ? NonRootUser : null;
        List<long> groups = [.. Numbers(pod.Source.Find("spec", "securityContext", "supplementalGroups"))];
        if (pod.Source.Number("spec", "securityContext", "fsGroup") is { } owner)
        {
            groups.Add(owner);
        }

        if (user is null && group is null && groups.Count == 0)
        {
            return "";
        }

        var list = groups.Count > 0 ? $" --groups={string.Join(',', groups.Distinct())}" : " --clear-groups";
        return string.Create(CultureInfo.InvariantCulture, $" --reuid={user ?? 0} --regid={group ?? 0}{list}");
    }

    private static IEnumerable<long> Numbers(JsonNode? list) =>
        (list as JsonArray ?? []).OfType<JsonValue>().Select(v => v.TryGetValue<long>(out var number) ? number : 0);

    /// <summary>In setpriv's form.</summary>
    private static string Capabilities(JsonObject context, string container)
    {
        var kept = new HashSet<string>(_usual, StringComparer.Ordinal);
        foreach (var name in context.Texts("capabilities", "drop").Select(n => Normal(n, container)))
        {
            kept.ExceptWith(name == "all" ? _all : [name]);
        }

        foreach (var name in context.Texts("capabilities", "add").Select(n => Normal(n, container)))
        {
            kept.UnionWith(name == "all" ? _all : [name]);
        }

        return string.Concat(kept.Order(StringComparer.Ordinal).Select(name => $",+{name}").Prepend("-all"));
    }

    private static string Normal(string name, string container)
    {
        var normal = name.ToLowerInvariant();
        normal = normal.StartsWith("cap_", StringComparison.Ordinal) ? normal[4..] : normal;
        return normal == "all" || _all.Contains(normal)
            ? normal
            : throw new ConfigException($"container {container}: the kernel has no capability \"{name}\"; write e.g. NET_BIND_SERVICE");
    }

    private static void Note(List<string> notes, JsonObject own, JsonObject outer, bool hasManyUsers)
    {
        if ((own.Text("seccompProfile", "type") ?? outer.Text("seccompProfile", "type")) is { } seccomp and not "Unconfined")
        {
            notes.Add($"seccompProfile {seccomp}");
        }

        foreach (var field in (string[])["appArmorProfile", "seLinuxOptions", "procMount"])
        {
            if (own[field] is not null || outer[field] is not null)
            {
                notes.Add(field);
            }
        }

        if (outer.Objects("sysctls").Any())
        {
            notes.Add("sysctls");
        }

        if (!hasManyUsers && (outer["fsGroup"] is not null || outer["supplementalGroups"] is not null))
        {
            notes.Add("fsGroup and supplementalGroups (an ordinary user started the mesh)");
        }
    }
}
