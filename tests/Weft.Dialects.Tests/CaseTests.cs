// SPDX-License-Identifier: Apache-2.0

using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

public sealed class CaseTests
{
    public static TheoryData<string> Cases => CaseFile.Find("dialects");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_case_means_what_it_says(string path)
    {
        var test = CaseFile.Load(path);
        var parsed = Dialects.Parse("input.yaml", test["input"].TrimEnd('\n') + "\n");
        test.Check(
            ("diagnostics", string.Join('\n', parsed.Diagnostics)),
            ("meaning", ContentText.Of(parsed)));
    }
}
