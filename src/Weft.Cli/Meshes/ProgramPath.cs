// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Meshes;

/// <summary>How to start this program again.</summary>
internal static class ProgramPath
{
    /// <summary>The words before the verb: the program, or <c>dotnet weft.dll</c> where it runs that way.</summary>
    public static IReadOnlyList<string> Self()
    {
        var path = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        return Path.GetFileNameWithoutExtension(path) == "dotnet" ? [path, Path.Combine(AppContext.BaseDirectory, "weft.dll")] : [path];
    }

    /// <summary>The folder of weft-proxy and weft-sample.</summary>
    public static string Bin() => Environment.GetEnvironmentVariable("WEFT_BIN") is { Length: > 0 } named ? named : AppContext.BaseDirectory;

    public static void RequireProxy()
    {
        var proxy = Path.Combine(Bin(), "weft-proxy");
        if (!File.Exists(proxy))
        {
            throw new Output.CommandException(
                Output.ExitCode.Failed, $"The proxy is missing: there is no '{proxy}'.", "Start Weft with the script ./weft of the checkout, which builds it, or set WEFT_BIN.");
        }
    }
}
