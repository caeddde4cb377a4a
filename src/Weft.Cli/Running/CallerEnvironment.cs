// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Cli.Output;

namespace Weft.Cli.Running;

/// <summary>The variables of the caller's shell that a program in a pod should have too.</summary>
internal static partial class CallerEnvironment
{
    /// <summary>A Secret holds no more.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>They describe the shell, or lead to places that a pod cannot reach.</summary>
    private static readonly string[] _left =
        ["_", "PWD", "OLDPWD", "SHLVL", "HOSTNAME", "PORT", "KUBECONFIG", "DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "NO_COLOR"];

    public static SortedDictionary<string, string> Read() => Choose(System.Environment.GetEnvironmentVariables());

    internal static SortedDictionary<string, string> Choose(IDictionary all)
    {
        var chosen = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var bytes = 0;
        foreach (DictionaryEntry entry in all)
        {
            var name = (string)entry.Key;
            if (Key().IsMatch(name) && !_left.Contains(name, StringComparer.Ordinal)
                && !name.StartsWith("WEFT_", StringComparison.Ordinal) && !name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase))
            {
                var value = (string?)entry.Value ?? "";
                chosen[name] = value;
                bytes += name.Length + Encoding.UTF8.GetByteCount(value);
            }
        }

        return bytes <= MaxBytes
            ? chosen
            : throw new CommandException(
                ExitCode.WrongUsage, $"This shell's environment has {bytes} bytes; a Secret holds {MaxBytes}.", "Start from a smaller one:  env -i PATH=\"$PATH\" weft run …");
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_.-]*$")]
    private static partial Regex Key();
}
