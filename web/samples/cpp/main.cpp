// Finds the anagrams in a list of words.
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

int main() {
  const std::vector<std::string> words{"listen", "silent", "enlist", "google", "elbow", "below", "state", "taste"};
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& word : words) {
    auto key = word;
    std::ranges::sort(key);
    groups[key].push_back(word);
  }
  for (const auto& [key, group] : groups) {
    if (group.size() < 2) continue;
    for (const auto& word : group) std::cout << word << ' ';
    std::cout << '\n';
  }
}
