// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>What a finished command said.</summary>
internal sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>The output, or a failure that shows all of it.</summary>
    public string Succeeded()
    {
        Assert.True(ExitCode == 0, ToString());
        return Output;
    }

    public override string ToString() => $"$ {CommandLine}\nexit {ExitCode}\n{Output}\n{Error}";
}
