// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;

namespace Weft.Cli.Verbs;

/// <summary>Flags that mean the same in every verb.</summary>
internal static class VerbOptions
{
    public static Option<string> Output(params string[] formats)
    {
        var option = new Option<string>("--output", "-o") { Description = string.Join(", ", formats), HelpName = "format", DefaultValueFactory = _ => formats[0] };
        option.AcceptOnlyFromAmong(formats);
        return option;
    }

    public static Option<string> Namespace() =>
        new("--namespace", "-n") { Description = "Namespace of the pod", HelpName = "name", DefaultValueFactory = _ => "default" };

    public static Option<int> Timeout(int seconds) =>
        new("--timeout") { Description = "Seconds to wait for readiness", HelpName = "seconds", DefaultValueFactory = _ => seconds };
}
