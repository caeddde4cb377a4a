// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Processes;

namespace Weft.Local.Outside;

/// <summary>What the machine must offer for pods to run, and the message that names what is missing.</summary>
public static class SandboxRequirements
{
    private static readonly (string Program, string Package)[] _needed =
    [
        ("unshare", "util-linux"),
        ("nsenter", "util-linux"),
        ("setpriv", "util-linux"),
        ("mount", "mount"),
        ("ip", "iproute2"),
        ("nft", "nftables"),
        ("sh", "dash"),
    ];

    /// <summary>The arguments of unshare that give a process its own world.</summary>
    internal static IReadOnlyList<string> UnshareArguments(SandboxKind kind)
    {
        string[] user = kind == SandboxKind.User ? ["--user", "--map-root-user"] : [];
        return [.. user, "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
    }

    /// <summary>Finds the way that works here; throws <see cref="SandboxException"/> naming what is missing.</summary>
    public static async Task<SandboxKind> ProbeAsync(CancellationToken ct)
    {
        foreach (var (program, package) in _needed)
        {
            if (Programs.Find(program) is null)
            {
                throw new SandboxException(
                    $"The program '{program}' is missing. Install it: apt-get install {package}");
            }
        }

        var failures = new List<string>();
        SandboxKind[] kinds = Environment.UserName == "root" ? [SandboxKind.Root, SandboxKind.User] : [SandboxKind.User];
        foreach (var kind in kinds)
        {
            var attempt = await RunOnce.TryAsync(
                "unshare", [.. UnshareArguments(kind), "sh", "-c", "ip link set lo up && nft list ruleset"], "", ct);
            if (attempt.ExitCode == 0)
            {
                return kind;
            }

            failures.Add(attempt.Errors.Trim());
        }

        throw new SandboxException(
            $"This user may not make private namespaces: {string.Join("; ", failures)}.{Hint()}");
    }

    private static string Hint()
    {
        foreach (var (file, wrong, cure) in new[]
        {
            ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
            ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
                "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
            ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
        })
        {
            if (File.Exists(file) && File.ReadAllText(file).Trim() == wrong)
            {
                return $" Ask root for: {cure}";
            }
        }

        return " Run it as root, or allow unprivileged user namespaces.";
    }
}

/// <summary>The machine refuses what a sandbox needs; the message says what and the cure.</summary>
public sealed class SandboxException(string message) : Exception(message);

/// <summary>How this user may make namespaces on this machine, found out by trying.</summary>
public enum SandboxKind
{
    /// <summary>As root: no user namespace.</summary>
    Root,

    /// <summary>As an ordinary user: everything inside a user namespace of its own.</summary>
    User,
}
