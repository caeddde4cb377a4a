// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;

namespace Weft.Cli.Tests;

/// <summary>Runs the command line and keeps what it says.</summary>
internal sealed class CapturedTerminal
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public async Task<int> RunAsync(params string[] args) => await CommandLine.RunAsync(args, Open());

    public Terminal Open() => new(_out, _error, outIsTerminal: false, errorIsTerminal: false, name => name == "LANG" ? "C.UTF-8" : null);
}
