// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

/// <summary>What attackers and broken clients send, byte for byte, whole and in every split into two, as the parser alone sees it.</summary>
public sealed class HostileCaseTests
{
    public static TheoryData<string> Tables() => HostileTable.Find("http1");

    [Theory]
    [MemberData(nameof(Tables))]
    public void Each_case_is_understood_in_one_way_only(string path)
    {
        var file = CaseFile.Load(path);
        var words = new StringBuilder();
        foreach (var row in HostileTable.Rows(file))
        {
            var whole = Conversation.Read(row.Bytes, Http1Rules.Default);
            words.Append(row.Number).Append(' ').Append(HostileTable.Escape(whole)).Append('\n');
            if (row.Bytes.Length < 400)
            {
                for (var split = 1; split < row.Bytes.Length; split++)
                {
                    var first = split;
                    Assert.Equal(Kind(whole), Kind(Conversation.Read(row.Bytes, Http1Rules.Default, () => first)));
                }
            }
        }

        file.Check(("parser", words.ToString()));
    }

    [Fact]
    public void Every_refusal_has_a_status_a_section_and_a_sentence()
    {
        foreach (var error in Enum.GetValues<Http1Error>().Where(error => error != Http1Error.None))
        {
            Assert.InRange(error.Status(), 400, 599);
            Assert.StartsWith("RFC ", error.Section(), StringComparison.Ordinal);
            Assert.EndsWith(".", error.Describe(), StringComparison.Ordinal);
        }
    }

    /// <summary>Messages must be the same in every split; the name of an error may depend on what has arrived.</summary>
    private static string Kind(string words) => string.Join(" | ", words.Split(" | ")
        .Select(word => Enum.TryParse<Http1Error>(word, out _) ? "refused" : word));
}
