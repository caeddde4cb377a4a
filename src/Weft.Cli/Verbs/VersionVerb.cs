// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Weft.Cli.Output;

namespace Weft.Cli.Verbs;

/// <summary><c>weft version</c></summary>
internal static class VersionVerb
{
    public static string Number { get; } =
        (typeof(VersionVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    public static Command Build(Terminal terminal)
    {
        var output = VerbOptions.Output("text", "json");
        var command = new Command("version", "The version of this program") { output };
        command.SetAction(parsed =>
        {
            terminal.Out.Write(parsed.GetValue(output) == "json"
                ? OutputFormat.Json(new JsonObject { ["version"] = Number, ["runtime"] = RuntimeInformation.FrameworkDescription })
                : $"weft {Number}\n");
            return ExitCode.Fine;
        });
        return command;
    }
}
